#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""However a program ends, what had ended before is delivered; fork and exec
lose nothing and double nothing."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite
from harness import BARE_ONLY, PROGRAMS, check, compare_results
from otlp_receiver import OtlpReceiver
from spancheck import check_spans, client_spans

suite = HttpSuite("endings")
LIFE = ["/usr/bin/python3", os.path.join(PROGRAMS, "life.py")]


def life(how, *more):
    return LIFE + [how, suite.server.url("")] + list(more)


def delivered(how, requests, *more, status=0, expected=None, **options):
    """Both to a file and to a collector; the program is none the wiser."""
    @suite.case(how.replace("_", "-"))
    def run():
        bare, _ = suite.once(life(how, *more), False, **options)
        bare.expect_status(status)
        traced, records = suite.once(life(how, *more), True, **options)
        compare_results(bare, traced)
        check(len(records) == requests, "%d requests", len(records))
        if not BARE_ONLY:
            check_spans(records, traced.spans(), expected=expected)
        with OtlpReceiver() as receiver:
            result, records = suite.once(
                life(how, *more), True, span_file=False,
                env=receiver.environment(), **options)
            compare_results(bare, result)
            check(not receiver.errors, "%s", receiver.errors)
            if not BARE_ONLY:
                check_spans(records, receiver.spans(), expected=expected)


delivered("exits", 1, status=3)
delivered("underscore_exit", 1, status=4)
delivered("execs", 2, "curl", "-sS", suite.server.url("/ok?image=2"))
delivered("exec_fails", 2)
delivered("raises", 1, status=1)
delivered("forks", 4)
delivered("threads", 10)


@suite.case("fork-with-open-connection")
def fork_with_open_connection():
    """Every request once; who made it is said by its own process."""
    argv = life("fork_with_open_connection")
    bare, before = suite.once(argv, False)
    traced, after = suite.once(argv, True)
    compare_results(bare, traced)
    check(len(before) == len(after) == 3, "%d requests", len(after))
    if BARE_ONLY:
        return
    spans = client_spans(traced.spans())
    urls = [s["attributes"]["url.full"].rpartition("?")[2] for s in spans]
    check(sorted(urls) == ["who=child", "who=parent", "who=parent-again"],
          "%s", urls)


@suite.case("forked-processes-are-instances-of-their-own")
def instances():
    traced, records = suite.once(life("forks"), True)
    if BARE_ONLY:
        return
    spans = client_spans(traced.spans())
    names = {}
    for span in spans:
        who = span["attributes"]["url.full"].rpartition("=")[2]
        names[who] = span["resource"]["service.instance.id"]
    check(names["parent-before"] == names["parent-after"], "%s", names)
    check(len(set(names.values())) == 3, "%s", names)
    check(len({s["traceId"] for s in spans}) == 4, "ids repeat after fork")


def ends_open(how, least_ms):
    @suite.case(how)
    def run():
        bare, _ = suite.once(life(how), False)
        traced, records = suite.once(life(how), True)
        compare_results(bare, traced)
        check(len(records) == 1, "%d requests", len(records))
        if BARE_ONLY:
            return
        span, = client_spans(traced.spans())
        check("http.response.status_code" not in span["attributes"], "%s",
              span["attributes"])
        check(traced.end_ns + 2e6 >= span["end_ns"] >= span["start_ns"]
              + least_ms * 1e6, "ends %s after its start",
              span["end_ns"] - span["start_ns"])
        suite.note("%s: status %d, %s", how, span["status"],
                   {k: v for k, v in span["attributes"].items()
                    if k.startswith("autotrace.") or k == "error.type"})


ends_open("unfinished", 250)
ends_open("unread", 0)


@suite.case("killed-under-run")
def killed():
    """kill -9 loses nothing that had ended: the ring is somebody else's."""
    if BARE_ONLY:
        return
    suite.server.clear()
    result = suite.runner.autotrace_run(life("kills"), ["--quiet"])
    suite.server.drain()
    check(result.status == 137, "status %s", result.status)
    check_spans(suite.server.records(), result.spans())


@suite.case("refused")
def refused():
    """A refused connection is an error span, and still the program's own."""
    from otlp_receiver import refused_port
    held, port = refused_port()
    argv = LIFE + ["refused", "http://127.0.0.1:%d" % port]
    with held:
        bare, _ = suite.once(argv, False)
        traced, _ = suite.once(argv, True)
    compare_results(bare, traced)
    if BARE_ONLY:
        return
    span, = traced.spans()
    check(span["name"] == "connect" and span["kind"] == 3 and
          span["status"] == 2, "%s", span)
    want = {"error.type": "connection_refused", "server.port": port,
            "server.address": "127.0.0.1"}
    seen = {key: span["attributes"].get(key) for key in want}
    check(seen == want, "%s", span["attributes"])


sys.exit(suite.main())
