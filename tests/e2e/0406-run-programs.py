#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""Each kind of program under `autotrace run`: their spans go to the hub.

The wire and the results are those of the bare program, all spans are in one
trace below the run's own span, and nothing is dropped.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import (SCENARIOS, UNORDERED, HttpSuite, check_requests, plan,
                      sort_headers, upload)
from harness import BARE_ONLY, PROGRAMS, check, compare_results
from spancheck import check_spans, client_spans, compare_wire

suite = HttpSuite("run-programs")
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
        suite.runner.home]
PYTHON = "/usr/bin/python3"
CLIENTS = {
    "urllib": [PYTHON, "client_urllib.py"],
    "requests": [PYTHON, "client_requests.py"],
    "aiohttp": [PYTHON, "client_aiohttp.py"],
    "node-http": ["node", "client_http.js"],
    "node-fetch": ["node", "client_fetch.mjs"],
    "java-url": JAVA + ["HttpUrl"],
    "java-net-http": JAVA + ["JavaNetHttp"],
    "lwp": ["perl", "client_lwp.pl"],
    "http-tiny": ["perl", "client_tiny.pl"],
    "ruby": ["ruby", "client.rb"],
    "php": ["php", "client.php"],
    "lua": ["lua5.4", "client.lua"],
    "erlang": ["escript", "client.escript"],
}
ENV = {"PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"}
PARALLEL = {"urllib", "requests", "aiohttp", "node-http", "node-fetch",
            "java-url", "java-net-http", "ruby", "erlang"}
body = suite.runner.write("upload", upload())


def command(name):
    return [os.path.join(PROGRAMS, word) if word.startswith("client")
            else word for word in CLIENTS[name]]


def compile_java():
    subprocess.run(["javac", "-d", suite.runner.home,
                    os.path.join(PROGRAMS, "HttpUrl.java"),
                    os.path.join(PROGRAMS, "JavaNetHttp.java")], check=True)


def under_run(argv, ordered):
    """Bare and under `run`: same results, same wire; the spans."""
    bare, before = suite.once(argv, False, env=ENV)
    bare.expect_status(0)
    if BARE_ONLY:
        return before, None
    suite.server.clear()
    traced = suite.runner.autotrace_run(argv, ["--quiet"], env=ENV)
    suite.server.drain()
    after = suite.server.records()
    compare_results(bare, traced)
    compare_wire(before, after, ordered, sort_headers)
    check_spans(after, traced.spans(), (traced.start_ns, traced.end_ns))
    return after, traced.spans()


def case(name, scenario):
    @suite.case("%s-%s" % (name, scenario))
    def run():
        ordered = scenario not in UNORDERED
        argv = command(name) + plan(suite.server.url(""), scenario, body)
        records, spans = under_run(argv, ordered)
        check_requests(records, SCENARIOS[scenario], ordered)
        if spans is None:
            return
        suite.totals["requests"] += len(records)
        suite.totals["spans"] += len(client_spans(spans))
        check(len({s["traceId"] for s in spans}) == 1, "several traces")
        roots = [s for s in spans if not s["parentSpanId"]]
        check(len(roots) == 1 and roots[0]["kind"] == 1, "roots %s", roots)
        known = {s["spanId"] for s in spans}
        for span in client_spans(spans):
            check(span["parentSpanId"] in known, "orphan %s", span)


compile_java()
for client in CLIENTS:
    for one in ("get", "post", "redirect"):
        case(client, one)
    case(client, "parallel" if client in PARALLEL else "many")

sys.exit(suite.main())
