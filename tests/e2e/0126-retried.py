#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A kept connection is reset under the next request, which the client repeats
on a new one by itself: two attempts, two spans, the first with the error.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite, upload
from harness import PROGRAMS, check, compare_results
from hostile import Hostile, cut, no_answer
from spancheck import check_attempts, client_spans, compare_attempts

# Four requests on one connection; the third and fourth are reset once each,
# before and after the head has been read.
COUNT = 4
suite = HttpSuite("retried", hostile=Hostile([None, None, cut, no_answer],
                                             None))
body = suite.runner.write("upload", upload())
urls = [suite.server.url("/ok?i=%d" % i) for i in range(COUNT)]


def retried(name, argv):
    @suite.case(name)
    def run():
        bare, before = suite.once(argv, False)
        bare.expect_status(0)
        check([r["target"] for r in before]
              == ["/ok?i=%d" % i for i in (0, 1, 2, 2, 3, 3)], "bare: %s",
              [(r["target"], r["connection"]) for r in before])
        check(before[2]["request"] > 1 and before[4]["request"] > 1,
              "it was no kept connection that was reset")
        traced, after = suite.once(argv, True)
        compare_attempts(before, after, injected=traced.traced)
        compare_results(bare, traced)
        suite.totals["requests"] += len(after)
        if traced.traced:
            spans = traced.spans()
            suite.totals["spans"] += len(spans)
            check_attempts(after, spans, (traced.start_ns, traced.end_ns))
            check_pairs(spans)


def check_pairs(spans):
    for number in (2, 3):
        pair = sorted((s for s in client_spans(spans)
                       if s["attributes"]["url.full"] == urls[number]),
                      key=lambda s: s["start_ns"])
        check(len(pair) == 2, "%s: %d spans", urls[number], len(pair))
        first, second = pair
        check(first["attributes"].get("error.type") in (
            "connection_reset", "broken_pipe")
              and "http.response.status_code" not in first["attributes"],
              "the first attempt: %s", first["attributes"])
        check(second["attributes"].get("http.response.status_code") == 200
              and "error.type" not in second["attributes"],
              "the second attempt: %s", second["attributes"])
        check(first["end_ns"] <= second["start_ns"], "one within the other")
        check(first["parentSpanId"] == second["parentSpanId"],
              "one is not a sibling of the other")


def client(*argv):
    return [*argv, suite.server.url(""), "GET", "/ok", "none", str(COUNT),
            "serial", body]


retried("curl", ["curl", "-sS", *urls])
retried("curl-post", ["curl", "-sS", "-d", "hello", *urls])
retried("wget", ["wget", "-q", "-O", "out", "--tries=2", "--waitretry=0",
                 *urls])
subprocess.run(["javac", "-d", suite.runner.home] + [
    os.path.join(PROGRAMS, name) for name in ("HttpUrl.java",
                                              "JavaNetHttp.java")], check=True)
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
        suite.runner.home]
retried("java-url", client(*JAVA, "HttpUrl"))
retried("java-net-http", client(*JAVA, "JavaNetHttp"))

sys.exit(suite.main())
