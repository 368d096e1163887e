#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Exporters: several at once, the file alone, a file for many processes."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import otlp_decode
from coverage import HttpSuite
from harness import BARE_ONLY, check, clean_environment, compare_results
from looks import count_calls
from otlp_receiver import OtlpReceiver
from spancheck import check_spans
from timing import preload

PROCESSES = 50
EACH = 20
suite = HttpSuite("exporters")
url = suite.server.url


def curl(*targets):
    return ["curl", "-sS", *[url(t) for t in targets]]


@suite.case("three-at-once")
def three():
    """otlp, file and console: the same spans everywhere."""
    with OtlpReceiver() as receiver:
        env = dict(receiver.environment(),
                   OTEL_TRACES_EXPORTER="otlp,file,console")
        bare, _ = suite.once(curl("/ok", "/status/404"), False)
        result, records = suite.once(curl("/ok", "/status/404"), True, env=env)
        check(bare.out == result.out, "stdout differs")
        if BARE_ONLY:
            return
        check_spans(records, receiver.spans())
        check_spans(records, result.spans())
        for span in receiver.spans():
            check(span["traceId"].encode() in result.err, "console: %r",
                  result.err)

        def order(spans):
            return sorted(spans, key=lambda s: s["spanId"])
        for one, other in zip(order(receiver.spans()),
                              order(result.spans())):
            check(one == other, "%s\n%s", one, other)


@suite.case("console")
def console():
    """On stderr only, a line for each span."""
    bare, _ = suite.once(curl("/ok", "/204"), False)
    traced, _ = suite.once(curl("/ok", "/204"), True, span_file=False,
                           env={"OTEL_TRACES_EXPORTER": "console"})
    check(traced.out == bare.out, "stdout %r", traced.out)
    if not BARE_ONLY:
        check(traced.err.count(b"\n") == 2, "stderr %r", traced.err)


@suite.case("none")
def none():
    """No exporter: nothing anywhere, the context is still sent."""
    with OtlpReceiver() as receiver:
        traced, records = suite.once(
            curl("/ok"), True, span_file=False,
            env=dict(receiver.environment(), OTEL_TRACES_EXPORTER="none"))
        check(not receiver.posts, "%d posts", len(receiver.posts))
    check(traced.err == b"" and traced.files == {}, "%r %s", traced.err,
          traced.files)
    if not BARE_ONLY:
        check(any(n == "traceparent" for n, _ in records[0]["headers"]),
              "no context")


@suite.case("file-alone-makes-no-connection")
def file_alone():
    """AUTOTRACE_FILE alone selects the file exporter: no network attempt."""
    path = suite.runner.path("trace")
    spans = suite.runner.path("alone.jsonl")
    strace = ["strace", "-f", "-qq", "-o", path, "-e", "trace=connect"]
    if not BARE_ONLY:
        for name, value in preload(AUTOTRACE_FILE=spans).items():
            strace += ["-E", "%s=%s" % (name, value)]
    suite.runner.run(strace + curl("/ok"), collect=False).expect_status(0)
    suite.server.drain()
    with open(path) as file:
        inet = [line for line in file if "AF_INET" in line]
    check(len(inet) == 1 and "htons(%d)" % suite.server.port in inet[0],
          "connections: %s", inet)
    check(count_calls(path), "strace saw nothing")
    if not BARE_ONLY:
        check(len(otlp_decode.spans_of_file(spans)) == 1, "one span")


@suite.case("file-of-many-processes")
def many():
    """Fifty processes append to one file at once: every line whole."""
    path = suite.runner.path("shared.jsonl")
    suite.server.clear()
    environment = dict(clean_environment(suite.runner.home),
                       **preload(AUTOTRACE_FILE=path,
                                 OTEL_BSP_SCHEDULE_DELAY="1"))
    argv = curl(*["/ok?i=%d" % i for i in range(EACH)])
    started = [subprocess.Popen(argv, env=environment,
                                stdout=subprocess.DEVNULL)
               for _ in range(PROCESSES)]
    check([p.wait(60) for p in started] == [0] * PROCESSES, "exit status")
    suite.server.drain()
    records = suite.server.records()
    check(len(records) == PROCESSES * EACH, "%d requests", len(records))
    if not BARE_ONLY:
        spans = otlp_decode.spans_of_file(path)
        check_spans(records, spans)
        with open(path, "rb") as file:
            suite.note("%d spans of %d processes in %d lines", len(spans),
                       PROCESSES, file.read().count(b"\n"))


@suite.case("file-is-appended-to")
def appended():
    path = suite.runner.path("grows.jsonl")
    for number in range(3):
        result, _ = suite.once(curl("/ok"), True, span_file=False,
                               env={"AUTOTRACE_FILE": path})
        result.expect_status(0)
        if not BARE_ONLY:
            check(len(otlp_decode.spans_of_file(path)) == number + 1, "%d",
                  number)


def harmless(name, **env):
    """A file that cannot be written is nobody's problem but ours."""
    @suite.case("file-" + name)
    def run():
        bare, _ = suite.once(curl("/ok"), False)
        traced, _ = suite.once(curl("/ok"), True, span_file=False, env=env)
        compare_results(bare, traced)
        check(traced.seconds < 1, "took %.2f s", traced.seconds)


harmless("missing-folder", AUTOTRACE_FILE="/nonexistent/folder/x.jsonl")
harmless("full-disk", AUTOTRACE_FILE="/dev/full")
harmless("directory", AUTOTRACE_FILE="/tmp")
harmless("unknown-exporter", OTEL_TRACES_EXPORTER="pigeon")


@suite.case("relative-file")
def relative():
    """Relative to where the program started, wherever it goes."""
    away = suite.runner.path("away")
    os.mkdir(away)
    script = ("import os, sys, urllib.request as u; os.chdir(sys.argv[1]); "
              "u.urlopen(sys.argv[2]).read()")
    traced, records = suite.once(
        ["/usr/bin/python3", "-c", script, away, url("/ok")], True,
        span_file=False, env={"AUTOTRACE_FILE": "spans.jsonl"},
        cwd=suite.runner.home, collect=False)
    traced.expect_status(0)
    check(os.listdir(away) == [], "spans in %s: %s", away, os.listdir(away))
    if not BARE_ONLY:
        check_spans(records, otlp_decode.spans_of_file(
            suite.runner.path("spans.jsonl")))


sys.exit(suite.main())
