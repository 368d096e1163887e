#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Other formats of context: in requests, in environments, in and out."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite
from harness import BARE_ONLY, check

suite = HttpSuite("propagators")
url = suite.server.url
ALL = "b3,jaeger,xray,tracecontext,datadog,b3multi"
TRACE = "80f198ee56343ba864fe8b2a57d3eff7"
SPAN = "e457b5a2e4d86bd1"
NAMES = ("B3", "UBER_TRACE_ID", "X_AMZN_TRACE_ID", "X_DATADOG_TRACE_ID",
         "X_DATADOG_PARENT_ID", "X_B3_TRACEID", "X_B3_SPANID", "TRACEPARENT")


def case(name):
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


def expected(trace, span):
    """What the fields in the order of ALL say of a sampled span."""
    return [("b3", "%s-%s-1" % (trace, span)),
            ("uber-trace-id", "%s:%s:0:1" % (trace, span)),
            ("x-amzn-trace-id", "Root=1-%s-%s;Parent=%s;Sampled=1" % (
                trace[:8], trace[8:], span)),
            ("traceparent", None),
            ("x-datadog-trace-id", str(int(trace[16:], 16))),
            ("x-datadog-parent-id", str(int(span, 16))),
            ("x-datadog-sampling-priority", "1"),
            ("x-datadog-tags", "_dd.p.tid=" + trace[:16]),
            ("x-b3-traceid", trace), ("x-b3-spanid", span),
            ("x-b3-sampled", "1")]


def contexts_of(record):
    """The fields of a request that carry contexts, in their order."""
    return [(name.lower(), value) for name, value in record["headers"]
            if name.lower() in dict(expected("0" * 32, "0" * 16))]


@case("all-of-them-go-out-once")
def out():
    suite.server.clear()
    result = suite.runner.run(["curl", "-sS", url("/ok")], traced=True, env={
        "OTEL_PROPAGATORS": ALL})
    result.expect_status(0)
    span, = result.spans()
    record, = suite.server.records()
    seen = contexts_of(record)
    wanted = expected(span["traceId"], span["spanId"])
    check([name for name, _ in seen] == [name for name, _ in wanted], "%s",
          seen)
    for (name, value), (_, said) in zip(seen, wanted):
        check(said is None or value == said, "%s: %s, not %s", name, value,
              said)


GIVEN = {"b3": {"B3": "%s-%s-1" % (TRACE, SPAN)},
         "b3multi": {"X_B3_TRACEID": TRACE, "X_B3_SPANID": SPAN,
                     "X_B3_SAMPLED": "1"},
         "jaeger": {"UBER_TRACE_ID": "%s:%s:0:1" % (TRACE, SPAN)},
         "xray": {"X_AMZN_TRACE_ID": "Root=1-%s-%s;Parent=%s;Sampled=1" % (
             TRACE[:8], TRACE[8:], SPAN)},
         "datadog": {"X_DATADOG_TRACE_ID": str(int(TRACE[16:], 16)),
                     "X_DATADOG_PARENT_ID": str(int(SPAN, 16)),
                     "X_DATADOG_SAMPLING_PRIORITY": "1",
                     "X_DATADOG_TAGS": "_dd.p.tid=" + TRACE[:16]}}


@case("a-pipeline-of-another-format-is-joined")
def given():
    for name, environment in GIVEN.items():
        env = {"OTEL_PROPAGATORS": name, **environment}
        result = suite.runner.run(["curl", "-sS", url("/ok")], traced=True,
                                  env=env)
        spans = {s["name"]: s for s in result.spans()}
        top = spans.get("curl") or spans["GET"]
        check((top["traceId"], top["parentSpanId"]) == (TRACE, SPAN),
              "%s: %s", name, spans)
        result = suite.runner.autotrace_run(["sh", "-c", "true; ls"], ["-q"],
                                            env=env)
        head, = [s for s in result.spans() if s["name"] == "sh -c"]
        check((head["traceId"], head["parentSpanId"]) == (TRACE, SPAN),
              "run, %s: %s", name, head)


@case("not-asked-for-not-read")
def unasked():
    result = suite.runner.run(["curl", "-sS", url("/ok")], traced=True,
                              env=GIVEN["b3"])
    span, = result.spans()
    check(span["traceId"] != TRACE, "%s", span)


SCRIPT = """
import os, subprocess, sys
show = "import os; print(sorted((k, v) for k, v in os.environ.items()))"
python = [sys.executable, "-S", "-c", show]
subprocess.run(python)
os.waitpid(os.posix_spawn(python[0], python, os.environ), 0)
if os.fork() == 0:
    os.execv(python[0], python)
os.wait()
"""


@case("children-find-them-all")
def children():
    """Each its own, in step with TRACEPARENT; a stale one is replaced."""
    result = suite.runner.autotrace_run(
        ["/usr/bin/python3", "-S", "-c", SCRIPT], ["-q"],
        env={"OTEL_PROPAGATORS": ALL, "X_B3_FLAGS": "1", **GIVEN["b3"]})
    result.expect_status(0)
    parent, = [s for s in result.spans() if "autotrace.command" in
               s["attributes"]]
    wanted = expected(parent["traceId"], parent["spanId"])
    lines = result.out.decode().splitlines()
    check(len(lines) == 3, "%s", lines)
    for line in lines:
        seen = dict(eval(line))
        for name, said in wanted:
            variable = name.upper().replace("-", "_")
            check(said is None or seen.get(variable) == said, "%s: %s, not %s",
                  variable, seen.get(variable), said)
        check("X_B3_FLAGS" not in seen, "a stale one stays")
        check(seen["TRACEPARENT"] == "00-%s-%s-%02x" % (
            parent["traceId"], parent["spanId"], parent["flags"] & 3),
            "%s of %s", seen["TRACEPARENT"], parent)


sys.exit(suite.main())
