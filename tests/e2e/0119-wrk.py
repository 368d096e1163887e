#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""wrk: the same buffer again and again, for a time instead of a count."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from coverage import HOSTILE, HttpSuite, sort_headers
from harness import check
from hostile import Hostile, sizes
from spancheck import check_links, check_spans, without_traceparent
from truth_server import TruthServer

SECONDS = 10 if harness.LONG else 1
CONNECTIONS = 8
AT_ONCE = 4
suite = HttpSuite("wrk")
PIPELINE = """
init = function(args)
	local r = {}
	for i = 1, %d do r[i] = wrk.format("GET", "/ok?i=" .. i) end
	request_all = table.concat(r)
end
request = function() return request_all end
""" % AT_ONCE
POST = """
wrk.method = "POST"
wrk.body = string.rep("0123456789", 30000)
wrk.headers["Content-Type"] = "text/plain"
"""
SIZES = """
local sizes = { %s }
local number = 0
request = function()
	local size = sizes[number %% #sizes + 1]

	number = number + 1
	if size == 0 then return wrk.format("GET", "/ok?size=0") end
	return wrk.format("POST", "/ok?size=" .. size, nil,
		string.rep("x", size))
end
""" % ", ".join(str(size) for size in sizes(60, 1))


def last_ones(records):
    """Serials of the last requests of each connection.

    wrk leaves when its time is up, whatever is under way by then.
    """
    last = {}
    for record in records:
        last.setdefault(record["connection"], []).append(record["serial"])
    return {serial for serials in last.values() for serial in serials[-8:]}


def run(name, script=None, at_once=1):
    suite.add(name, case, suite, name, script, at_once)


def case(suite, name, script, at_once, minimum=100):
    argv = ["wrk", "-d%ds" % SECONDS, "-t2", "-c%d" % CONNECTIONS]
    if script:
        argv += ["-s", suite.runner.write(name + ".lua", script)]
    argv.append(suite.server.url("/ok"))
    bare, before = suite.once(argv, False)
    bare.expect_status(0)
    heads = {(sort_headers(r["head"]), r["body_sha256"]) for r in before
             if not r["fault"]}
    # It outruns any exporter that has to share its processor: what is
    # measured here is that nothing is lost on the way to the queue.
    traced, after = suite.once(argv, True, env={
        "OTEL_BSP_MAX_QUEUE_SIZE": "100000"})
    traced.expect_status(0)
    check(bare.err == traced.err, "stderr %r", traced.err)
    check(b"Socket errors" not in traced.out, "%s", traced.out.decode())
    check(len(after) > minimum, "only %d requests", len(after))
    suite.note("%s: %d requests bare, %d traced", name, len(before),
               len(after))
    suite.totals["requests"] += len(after)
    if not traced.traced:
        return
    for record in after:
        head = without_traceparent(record["head"])
        check(record["fault"] or (sort_headers(head), record["body_sha256"])
              in heads, "head %r", record["head"])
    verify(traced, after, at_once)


def verify(traced, after, at_once):
    late = last_ones(after)

    def expected(record):
        if record["serial"] not in late:
            return {}
        # It may have left before it read the answer, or sent all of it.
        return {"status": 0,
                "http.response.status_code": {record["status"], None},
                "error.type": None}
    spans = traced.spans()
    suite.totals["spans"] += len(spans)
    check_spans(after, spans, (traced.start_ns, traced.end_ns), expected,
                unread=late, unheard=CONNECTIONS * at_once)
    check_links(after)


run("get")
run("pipeline", PIPELINE, AT_ONCE)
run("post", POST)


@suite.case("hostile")
def hostile():
    """What it sends is always the same; how much varies, bare as well."""
    before = dict(suite.totals)
    with TruthServer(hostile=Hostile(None, None)) as server:
        case(suite.on(server), "hostile", SIZES, 1, HOSTILE)
    suite.note_requests("hostile", before)


sys.exit(suite.main())
