#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""Servers of every style, unmodified, under `autotrace run`.

Each answers /N by asking another server for /call/N. Every request is one
span, below the one whose context it brought; and of each call is counted
whether it hangs under its own request, under none, or under somebody else's;
there guesses, which say that they are, may be one in a thousand. "later" calls
once it has answered.
"""
import collections
import errno
import http.client
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
import otlp_decode
from daemons import Daemon
from harness import BARE_ONLY, COMMAND, PROGRAMS, check
from serving import (SERVER, Back, ask_all, await_spans, context_of,
                     headers_of, number_of)

suite = harness.Suite("servers")
CLIENT = 3
ALONE = 100
CROWD, AT_ONCE = (10000, 50) if harness.LONG else (400, 20)
SERVE = os.path.join(PROGRAMS, "serve.")


back = Back()
suite.cleanup(back.close)


def check_served(spans, count):
    """One span a request, below the context that it came with."""
    served = {}
    for span in spans:
        told = span["attributes"]
        if span["kind"] != SERVER or told["url.path"].startswith("/call"):
            continue
        number = number_of(span)
        check(number not in served, "%d twice", number)
        served[number] = span
        check("00-%s-%s-01" % (span["traceId"], span["parentSpanId"]) ==
              context_of(number), "%d: %s", number, span)
        check(span["name"] == "GET" and told["http.request.method"] == "GET"
              and told["http.response.status_code"] == 200 and
              told["url.scheme"] == "http" and
              told["client.address"] == "127.0.0.1" and
              "error.type" not in told and not span["status"], "%s", span)
    check(len(served) == count, "%d of %d", len(served), count)
    return served


def check_calls(spans, served, numbers):
    """How many calls hang under their own request, none, somebody else's."""
    by_id = {span["spanId"]: number for number, span in served.items()}
    counts = collections.Counter()
    for span in spans:
        if span["kind"] != CLIENT or number_of(span) not in numbers:
            continue
        number = number_of(span)
        parent = by_id.get(span["parentSpanId"])
        guessed = span["attributes"].get("autotrace.parent") == "sole"
        counts["none" if parent is None else
               "right" if parent == number else
               "wrong guess" if guessed else "wrong"] += 1
        told = "00-%s-%s-" % (span["traceId"], span["spanId"])
        check(back.contexts[str(number)].startswith(told), "%d: told %s, is %s",
              number, back.contexts[str(number)], told)
    check(sum(counts.values()) == len(numbers), "%s of %d", counts,
          len(numbers))
    return counts


def add_server(name, make, blocking, env=None):
    @suite.case(name)
    def _():
        if BARE_ONLY:
            return
        path = suite.runner.path(name + ".jsonl")
        server = Daemon(suite.runner, name, lambda port, home: [
            COMMAND, "run", "-q", "--file", path, "--", *make(port)],
            {"OTEL_BSP_SCHEDULE_DELAY": "100", **(env or {})})
        try:
            ask_all(server.port, range(ALONE), 1, headers_of)
            ask_all(server.port, range(ALONE, ALONE + CROWD), AT_ONCE,
                    headers_of)
            await_spans(path, ALONE + CROWD)
        finally:
            server.close()
        spans = otlp_decode.spans_of_file(path)
        served = check_served(spans, ALONE + CROWD)
        alone = check_calls(spans, served, range(ALONE))
        crowd = check_calls(spans, served, range(ALONE, ALONE + CROWD))
        suite.note("%s: alone %s, %d at once %s", name, dict(alone), AT_ONCE,
                   dict(crowd))
        check(not alone["wrong"] and not crowd["wrong"], "%s %s", alone, crowd)
        guesses = alone["wrong guess"] + crowd["wrong guess"]
        # It gives itself away in its first requests, so fewer make no fewer.
        most = 10 if name == "later" else max(1, (ALONE + CROWD) // 1000)
        check(guesses <= most, "%s %s", alone, crowd)
        if name != "later":
            check(alone["right"] >= ALONE * 0.99, "%s", alone)
        if blocking:
            check(alone["none"] == 0 and crowd["none"] == 0, "%s %s", alone,
                  crowd)


PYTHON = ["/usr/bin/python3", "-B", SERVE + "py"]
for kind in ("single", "threads", "flask"):
    add_server(kind, lambda port, kind=kind: [*PYTHON, kind, str(port),
                                              back.url], True)
add_server("aiohttp", lambda port: [*PYTHON, "aiohttp", str(port), back.url],
           False)
add_server("later", lambda port: [*PYTHON, "later", str(port), back.url],
           False)
add_server("node", lambda port: ["node", SERVE + "js", str(port), back.url],
           False)
add_server("webrick", lambda port: ["/usr/bin/ruby", SERVE + "rb", str(port),
                                    back.url], True)
add_server("php", lambda port: ["php", "-S", "127.0.0.1:%d" % port,
                                SERVE + "php"], True, {"BACK": back.url})
add_server("java", lambda port: [
    "java", "-XX:TieredStopAtLevel=1", os.path.join(PROGRAMS, "Serve.java"),
    str(port), back.url], False)


@suite.case("bad addresses are for the kernel to tell")
def _():
    server = Daemon(suite.runner, "wild", lambda port, home: [
        *([] if BARE_ONLY else [COMMAND, "run", "-q", "--"]), *PYTHON, "wild",
        str(port), back.url])
    try:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/0")
        told = eval(connection.getresponse().read())
        connection.close()
    finally:
        server.close()
    check(told == [(-1, errno.EFAULT)] * len(told) and len(told) == 10, "%s",
          told)


sys.exit(suite.main())
