#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""`autotrace view`: saved files, good and bad."""
import json
import os
import random
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from harness import BARE_ONLY, COMMAND, check, clean_environment

suite = harness.Suite("cli-view")
runner = suite.runner
START = 1700000000 * 10**9
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def case(name):
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


def span(number, parent=None, name="work", start_ms=0, ms=10, error=None,
         trace=TRACE, **attributes):
    found = {"traceId": trace, "spanId": "%016x" % number, "name": name,
             "kind": 1, "startTimeUnixNano": str(START + start_ms * 10**6),
             "endTimeUnixNano": str(START + (start_ms + ms) * 10**6),
             "attributes": [{"key": key.replace("__", "."), "value":
                             {"stringValue": value}}
                            for key, value in attributes.items()]}
    if parent:
        found["parentSpanId"] = "%016x" % parent
    if error:
        found["status"] = {"code": 2}
        found["attributes"].append({"key": "error.type",
                                    "value": {"stringValue": error}})
    return found


def line(spans):
    return json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [
        {"scope": {"name": "x"}, "spans": spans}]}]}) + "\n"


def view(text, *options, status=0, **more):
    path = runner.write("spans.jsonl", text)
    result = runner.run([COMMAND, "view", *options, path], **more)
    result.expect_status(status)
    return result.out.decode(), result.err.decode().replace(path, "FILE")


@case("one-trace-over-several-lines")
def one_trace():
    out, err = view(line([span(2, 1, "child", 2, 3)]) + "\n" +
                    line([span(1)]) + " \n")
    lines = out.splitlines()
    check(err == "" and len(lines) == 3, "%s%s", out, err)
    check(lines[0].startswith("work ") and lines[1].startswith("`-child ") and
          lines[2] == "trace %s, 2 spans" % TRACE, "%s", out)


@case("standard-input")
def standard_input():
    text = line([span(1), span(2, 1, "child")])
    result = runner.run([COMMAND, "view", "-"], stdin=text.encode())
    check(result.out.decode() == view(text)[0], "%r", result.out)


@case("half-a-last-line-is-counted")
def half_line():
    whole = line([span(1)])
    rest = line([span(2, 1, "second"), span(3, 1, "third")])
    for length in (1, 20, len(rest) - 2):
        out, err = view(whole + rest[:length])
        check(err == "" and out.endswith(", the last line is cut off\n"),
              "%d: %s%s", length, out, err)
    check("second" in out and "third" in out, "what was whole: %s", out)
    out, _ = view(whole + rest.rstrip("\n"))
    check("cut off" not in out and "third" in out, "%s", out)


@case("a-bad-line-is-named")
def bad_line():
    good = line([span(1)])
    out, err = view(good + "{bad}\n" + good.replace("0001\"", "0002\""),
                    status=1)
    check(err == "autotrace: FILE:2:2: not OTLP JSON: expected a string\n",
          "%r", err)
    check(out.endswith("2 spans\n"), "%s", out)
    out, err = view("x\n" * 8 + good, status=1)
    check(err.count("\n") == 6 and err.endswith(
        "autotrace: FILE: 3 more such lines\n"), "%r", err)
    out, err = view(good.replace(TRACE, "nonsense"), status=1)
    check("FILE:1:" in err and "an id of 32 hex digits" in err, "%r", err)


@case("no-spans-no-tree")
def empty():
    for text in ("", "\n\n", "{}\n", '{"resourceMetrics":[]}\n'):
        out, err = view(text)
        check((out, err) == ("0 spans\n", ""), "%r: %r %r", text, out, err)


@case("what-cannot-be-read")
def unreadable():
    for path, reason in (("/nonexistent", "No such file"),
                         ("/", "Is a directory")):
        result = runner.run([COMMAND, "view", path]).expect_status(1)
        check(reason in result.err.decode() and path in result.err.decode() and
              result.err.count(b"\n") == 1, "%r", result.err)


@case("several-traces-and-orphans")
def several():
    other = "aa" * 16
    out, _ = view(line([span(1), span(5, 99, "lost")]) +
                  line([span(1, trace=other, name="far", start_ms=-5)]))
    lines = out.splitlines()
    check(lines[0] == "trace " + other and lines[1].startswith("far ") and
          lines[2] == "trace " + TRACE and "lost (parent elsewhere)" in out and
          lines[-1] == "3 spans in 2 traces", "%s", out)


@case("forty-lines-and-all")
def forty():
    text = line([span(1, ms=5000)] + [
        span(10 + i, 1, "step %d" % i, i, 5,
             "timeout" if i in (7, 233) else None) for i in range(300)] + [
        span(1000 + i, 1, "again", i, 1) for i in range(40)])
    out, _ = view(text)
    lines = out.splitlines()
    check(len(lines) == 41, "%d lines", len(lines))
    for wanted in ("step 7 ", "step 233 ", "again x 40", "work (+263)",
                   "263 more spans: --tree=all shows them"):
        check(wanted in out, "no %r in\n%s", wanted, out)
    out, _ = view(text, "--tree=all")
    check(len(out.splitlines()) == 342 and "more" not in out, "%d lines",
          len(out.splitlines()))


@case("hostile-files")
def hostile():
    """Circles, repeated ids, deep chains, escapes: drawn, and quickly."""
    chooser = random.Random(4)
    circle = [span(i, i % 50 + 1) for i in range(1, 51)]
    same = [span(1, 1), span(1, 1, "again"), span(1)]
    chain = [span(i, i - 1 or None, "deep", i, 50000 - i)
             for i in range(1, 20001)]
    tangle = [span(chooser.randrange(1, 300), chooser.randrange(1, 300))
              for _ in range(3000)]
    evil = [span(1, name="\x1b]0;title\x07\x1b[2J\u202e\r\n\udc80")]
    for spans in (circle, same, chain, tangle, evil):
        out, err = view(line(spans), timeout_s=30)
        lines = out.splitlines()
        check(err == "" and 1 < len(lines) <= 41 and
              lines[-1].endswith(harness_count(len(spans))), "%s%s", out, err)
        check("\x1b" not in out and "\u202e" not in out, "%r", out)
        out, _ = view(line(spans), "--tree=all", timeout_s=30)
        check(len(out.splitlines()) == len(spans) + 1, "%d lines",
              len(out.splitlines()))


def harness_count(count):
    return "%s span%s" % (format(count, ","), "" if count == 1 else "s")


@case("random-damage-is-survived")
def damage():
    chooser = random.Random(8)
    text = line([span(i, i - 1 or None) for i in range(1, 9)]).encode() * 3
    for _ in range(150):
        broken = bytearray(text)
        for _ in range(chooser.randrange(1, 6)):
            broken[chooser.randrange(len(broken))] = chooser.randrange(256)
        path = runner.write("broken", bytes(broken))
        result = runner.run([COMMAND, "view", path])
        check(result.status in (0, 1) and result.out, "%s %r", result.status,
              bytes(broken))


@case("a-hundred-thousand-spans")
def many():
    spans = [span(1, ms=100000)] + [
        span(i, i // 7 + 1, "job %d" % (i % 977), i % 90000, i % 50,
             "1" if i % 5003 == 0 else None) for i in range(2, 100001)]
    text = "".join(line(spans[i:i + 512]) for i in range(0, len(spans), 512))
    path = runner.write("many", text)
    result = runner.run([COMMAND, "view", path], timeout_s=60, peak=True)
    result.expect_status(0)
    check(result.out.endswith(b", 100,000 spans\n") and
          result.out.count(b"\n") == 41, "%s", result.out)
    check(result.peak_bytes < 200 * 2**20, "%d bytes", result.peak_bytes)
    suite.note("100,000 spans, %d MB of JSON: %.2f s, %d MB at most",
               len(text) // 10**6, result.seconds,
               result.peak_bytes // 2**20)


@case("a-reader-that-leaves")
def pipe():
    path = runner.write("spans.jsonl", line(
        [span(i, name="n%d" % i) for i in range(1, 20001)]))
    process = subprocess.Popen([COMMAND, "view", "--tree=all", path],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=clean_environment(runner.home))
    check(process.stdout.readline().startswith(b"n1 "), "first line")
    process.stdout.close()
    err = process.stderr.read()
    check(process.wait(30) == -signal.SIGPIPE and err == b"", "%s %r",
          process.returncode, err)


@case("width-and-characters")
def width():
    wide = "\u65e5\u672c\u8a9e" * 30
    for columns in (30, 81, 200):
        out, _ = view(line([span(1, name=wide)]),
                      env={"COLUMNS": str(columns)})
        used = sum(2 if ord(c) > 0x2fff else 1 for c in out.splitlines()[0])
        check(used <= columns and "\u65e5" in out, "%d: %s", used, out)
    out, _ = view(line([span(1, name=wide)]), env={"LC_ALL": "C"})
    check(out.isascii() and "\\u65e5" in out, "%s", out)


sys.exit(suite.main())
