#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""--keep: what is exported depends on how it went. --fail-on: so does the
exit status. What the command itself says and does stays what it was."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite
from harness import BARE_ONLY, COMMAND, check
from otlp_decode import spans_of_file
from otlp_receiver import OtlpReceiver, refused_port

suite = HttpSuite("keep")
url = suite.server.url

FINE = ["sh", "-c", "grep -q no /dev/null; curl -sS %s; echo done" % url(
    "/status/503")]
FAILED = ["sh", "-c", "curl -sS %s; exit 4" % url("/ok")]
CRASHED = ["sh", "-c", "kill -SEGV $$"]
SLOW = ["sh", "-c", "sleep 0.6; curl -sS %s" % url("/ok")]


def case(name):
    """A case that needs the command: nothing to do on bare programs."""
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


def run(argv, *options, env=None, status=None):
    bare = suite.runner.run(argv)
    result = suite.runner.run([COMMAND, "run", *options, "--", *argv], env=env)
    if status is None:
        status = 128 - bare.status if bare.status < 0 else bare.status
    check((result.status, result.out) == (status, bare.out),
          "bare %s %r, traced %s %r, %r", bare.status, bare.out,
          result.status, result.out, result.err)
    return result


def kept(argv, rules):
    """Spans that reach a collector and a file; the same in both."""
    path = suite.runner.path("kept.jsonl")
    if os.path.exists(path):
        os.remove(path)
    with OtlpReceiver() as receiver:
        result = run(argv, "--file", path, "--keep", rules,
                     env=receiver.environment())
        check(not receiver.errors, "%s", receiver.errors)
        spans = receiver.spans()
    filed = spans_of_file(path) if os.path.exists(path) else []

    def ids(some):
        return sorted(span["spanId"] for span in some)
    check(ids(spans) == ids(filed), "collector %s, file %s", ids(spans),
          ids(filed))
    last = result.err.decode().splitlines()[-1]
    check((", not kept" in last) == (not spans), "%d spans: %s", len(spans),
          last)
    check("0 dropped" in last, "%s", last)
    if len(spans) > 1 or not spans:
        check(len(result.err.splitlines()) > 1 or argv is CRASHED,
              "no tree: %r", result.err)
    return spans


@case("errors")
def errors():
    """A grep that finds nothing and a 503 that nobody fails of are none."""
    check(not kept(FINE, "errors"), "kept")
    spans = kept(FAILED, "errors")
    check({span["kind"] for span in spans} == {1, 3}, "%s", spans)
    check(kept(CRASHED, "errors"), "not kept")


@case("slow")
def slow():
    check(not kept(FINE, "slow:10s"), "kept")
    check(not kept(FAILED, "slow:10s"), "kept")
    check(kept(SLOW, "errors,slow:500ms"), "not kept")


@case("many")
def many():
    """All of a large trace, in batches."""
    script = "i=0; while [ $i -lt 1500 ]; do echo GET %s; i=$((i+1)); done" \
        "| sed s/GET/url=/ | tr -d ' ' >list; curl -sS -K list >/dev/null; " \
        "exit 1" % url("/ok")
    spans = kept(["sh", "-c", script], "errors")
    check(len({span["spanId"] for span in spans}) == 1504, "%d", len(spans))


@case("nobody-there")
def nobody():
    """What could not be delivered is counted, the file has it all the same."""
    path = suite.runner.path("alone.jsonl")
    sock, port = refused_port()
    with sock:
        result = run(FAILED, "--file", path, "--keep=errors", env={
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:%d" % port})
    count = len(spans_of_file(path))
    check(count >= 2 and ("%d dropped" % count).encode() in result.err,
          "%d in the file: %r", count, result.err)


@case("nothing-is-left-behind")
def left():
    """Not even where the trace waited."""
    run(FAILED, "--keep=errors", "-q", "--file",
        suite.runner.path("x.jsonl"), env={"TMPDIR": suite.runner.home})
    check(not [n for n in os.listdir(suite.runner.home)
               if n.startswith("autotrace")], "%s",
          os.listdir(suite.runner.home))


# ---- --fail-on ----

@case("fail-on")
def fail_on():
    """3 where the command itself was content, with one line that says why."""
    for rules, argv, status in (
            ("http-5xx", FINE, 3), ("http-error", FINE, 3),
            ("crash", FINE, 0), ("http-5xx,crash", FINE, 3),
            ("http-5xx", FAILED, 4), ("crash", ["sh", "-c", "exit 0"], 0),
            ("http-error", ["curl", "-sS", url("/status/404")], 3),
            ("http-5xx", ["curl", "-sS", url("/status/404")], 0)):
        result = run(argv, "-q", "--fail-on=" + rules, status=status)
        check(result.err.count(b"\n") == (status == 3), "%s: %r", rules,
              result.err)
    result = run(FINE, "-q", "--fail-on", "http-5xx", status=3)
    check(b"/status/503: 503" in result.err, "%r", result.err)


@case("wrong-use")
def wrong():
    for option in ("--keep=", "--keep=all", "--keep=slow", "--fail-on=",
                   "--fail-on=http", "--keep=slow:2"):
        result = suite.runner.run([COMMAND, "run", option, "--", "true"])
        check(result.status == 2 and result.err.count(b"\n") == 1, "%s: %s %r",
              option, result.status, result.err)


sys.exit(suite.main())
