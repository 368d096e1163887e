#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The summary: why it failed, where the time went, what was not seen."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite
from fixture import Trace
from harness import BARE_ONLY, COMMAND, check

suite = HttpSuite("summary")
url = suite.server.url


def case(name):
    """A case that needs the command: nothing to do on bare programs."""
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


def build():
    """make test: configure, two compilers side by side, a test that fails."""
    trace = Trace()
    head = trace.process("sh", 0, 0, 10_000, code=2)
    trace.process("grep", head, 10, 20, code=1)
    conf = trace.process("configure", head, 20, 2_000, cpu=(900, 100))
    make = trace.process("make test", head, 2_000, 9_990, code=2,
                         cpu=(50, 50))
    trace.process("cc1", make, 2_100, 5_000, cpu=(2_800, 100),
                  memory=300 << 20)
    trace.process("cc1", make, 2_101, 7_000, cpu=(4_500, 200),
                  memory=412 << 20)
    test = trace.process("python3 -m pytest", make, 7_100, 9_900, code=1,
                         cpu=(1_200, 100), memory=80 << 20)
    trace.request("http://shop:8080/api/stock", test, 7_500, 7_600, 200)
    trace.request("http://shop:8080/api/pay?card=1", test, 8_000, 9_500, 503)
    trace.process("conftest", conf, 100, 101, code=139, signal="SIGSEGV")
    trace.process("yes", conf, 102, 103, code=141, signal="SIGPIPE")
    trace.process("sudo", head, 9_991, 9_993, blind="setuid")
    trace.process("docker run", head, 9_993, 9_994)
    for _ in range(3):
        trace.process("busybox", head, 9_994, 9_995, blind="static")
    trace.process("true", head, 9_996, 9_997, blind="preload_lost")
    return trace


def page_of(trace):
    path = suite.runner.write("fixture.jsonl", trace.line())
    result = suite.runner.run([COMMAND, "view", "--summary", path])
    result.expect_status(0)
    check(not result.err, "%r", result.err)
    return result.out.decode()


def section(page, heading):
    """Lines of a section, its table's head left out."""
    check("\n#### %s\n" % heading in page, "no %s in\n%s", heading, page)
    text = page.split("\n#### %s\n" % heading)[1].split("\n#### ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return rows[1:] or [line for line in text.splitlines() if line]


@case("why-it-failed")
def chain():
    """From the head to the process that began it, with its HTTP errors;
    neither grep nor a crash of which nobody failed."""
    lines = section(page_of(build()), "Why it failed")
    check(lines == [
        "1. `sh`: `exit 2` (pid 1000)",
        "1. `make test`: `exit 2` (pid 1003)",
        "1. `python3 -m pytest`: `exit 1` (pid 1006)",
        "In it failed:",
        "- `GET shop:8080 /api/pay`: `503`, 1.50 s"], "%s", lines)


@case("the-run-and-its-program-are-one")
def one():
    """A program under `run` has two spans; the chain names it once."""
    trace = Trace()
    head = trace.process("make", 0, 0, 100, code=2, pid=7)
    image = trace.process("make", head, 1, 99, code=2, pid=7)
    trace.process("cc", image, 2, 50, code=1)
    check(section(page_of(trace), "Why it failed") == [
        "1. `make`: `exit 2` (pid 7)", "1. `cc`: `exit 1` (pid 1002)"], "%s",
          page_of(trace))


@case("the-line-that-restores-it-does")
def remedy():
    rows = [row for row in section(page_of(build()), "Blind spots")
            if "`env -i" in row]
    line = rows[0].split("`")[3].replace("COMMAND", "curl -sS " + url("/ok"))
    result = suite.runner.autotrace_run(["sh", "-c", line], ["-q"])
    result.expect_status(0)
    names = [span["name"] for span in result.spans()]
    check(sorted(names) == ["GET", "curl", "env", "sh -c"], "%s: %s", line, names)


@case("killed-by-a-signal")
def crashes():
    lines = section(page_of(build()), "Killed by a signal")
    check(lines == ["- `conftest`: `SIGSEGV` (pid 1009)"], "%s", lines)


@case("critical-path")
def path():
    rows = section(page_of(build()), "Critical path")
    check([row.split("`")[1] for row in rows] == [
        "configure", "make test", "cc1", "python3 -m pytest",
        "GET shop:8080 /api/stock", "GET shop:8080 /api/pay"],
          "%s", "\n".join(rows))
    check("| `cc1` | 4.90 s | 49 % |" in rows, "%s", "\n".join(rows))


@case("rankings")
def rankings():
    page = page_of(build())
    check(section(page, "Slowest processes")[0].startswith(
        "| `cc1` | 4.90 s | 4.90 s |"), "%s", page)
    check(section(page, "Hungriest for CPU")[0].startswith(
        "| `cc1` | 4.70 s |"), "%s", page)
    check(section(page, "Hungriest for memory")[0].startswith(
        "| `cc1` | 412 MiB |"), "%s", page)
    check(section(page, "Slowest calls")[0] ==
          "| `GET shop:8080 /api/pay` | 1.50 s | `503` |", "%s", page)
    check(len(section(page, "Failed calls")) == 1, "%s", page)
    for heading in ("Slowest processes", "Hungriest for CPU"):
        check(len(section(page, heading)) <= 10, "%s", page)


@case("parallelism")
def parallelism():
    """CPU time of all processes by the time it took."""
    check("CPU time 10.0 s, 1.00 of a core busy on average" in
          page_of(build()), "%s", page_of(build()))


@case("blind-spots")
def blind_spots():
    rows = section(page_of(build()), "Blind spots")
    text = "\n".join(rows)
    check([row.split("`")[1] for row in rows] == [
        "sudo", "docker", "busybox", "true"], "%s", text)
    for words in ("sudo --preserve-env=TRACEPARENT,AUTOTRACE_HUB,",
                  "docker run -v ", "`busybox` x 3 |", "env -i LD_PRELOAD="):
        check(words in text, "no %s in\n%s", words, text)


@case("names-from-anybody")
def hostile():
    """No name ends a cell, opens a tag or steers a terminal."""
    trace = Trace()
    head = trace.process("sh\n# x | `y` <b>\x1b[2J", 0, 0, 10, code=1)
    trace.request("http://a|b/<script>`", head, 1, 2, 500)
    page = page_of(trace)
    check("\x1b" not in page and "\n# x" not in page, "%r", page)
    for line in page.splitlines():
        code = re.sub(r"`[^`]*`", "", line)
        check("<" not in code, "outside of code: %s", line)
        if line.startswith("| "):
            check(len(re.findall(r"(?<!\\)\|", line)) in (4, 5), "%s", line)


# ---- written by run ----

FAILING = ["sh", "-c", "curl -sS %s; curl -sSf %s" % (
    url("/ok?a"), url("/status/503"))]


def run(argv, *options, env=None):
    result = suite.runner.run([COMMAND, "run", *options, "--", *argv], env=env)
    bare = suite.runner.run(argv)
    check((result.status, result.out) == (bare.status, bare.out),
          "bare %s %r, traced %s %r", bare.status, bare.out, result.status,
          result.out)
    return result


@case("run-appends-it")
def appends():
    path = suite.runner.write("summary.md", "before\n")
    run(FAILING, "--summary", path, "-q")
    run(["true"], "--summary=" + path, "-q")
    with open(path) as file:
        text = file.read()
    check(text.startswith("before\n### autotrace: `sh -c` failed, "), "%s", text)
    check("\n### autotrace: `true` ok, " in text, "%s", text)
    check(", 0 dropped." in text, "%s", text)
    section(text, "Why it failed")
    section(text, "Failed calls")


@case("github-gets-it-unasked")
def github():
    path = suite.runner.path("step.md")
    env = {"GITHUB_STEP_SUMMARY": path}
    run(FAILING, "-q", "--summary=none", env=env)
    check(not os.path.exists(path), "written though none was wanted")
    result = run([COMMAND, "run", "-q", "--", "true"], "-q", env=env)
    check(not result.err, "%r", result.err)
    with open(path) as file:
        text = file.read()
    check(text.count("### autotrace") == 1, "%s", text)
    # A path that cannot be written to is the runner's business.
    result = run(["true"], "-q", env={"GITHUB_STEP_SUMMARY": "/nonexistent/x"})
    check(not result.err, "%r", result.err)


@case("a-file-that-cannot-be-written")
def unwritable():
    """Asked for, it is known before a long command."""
    result = suite.runner.run([COMMAND, "run", "--summary", "/nonexistent/x",
                               "--", "touch", "ran"])
    check(result.status == 2 and b"/nonexistent/x" in result.err
          and not result.files, "%s %r", result.status, result.err)


@case("not-sampled")
def unsampled():
    path = suite.runner.path("none.md")
    result = run(["true"], "-q", "--summary", path,
                 env={"OTEL_TRACES_SAMPLER": "always_off"})
    check(b"not sampled" in result.err, "%r", result.err)
    check(os.path.getsize(path) == 0, "something was written")


@case("large")
def large():
    """A hundred thousand processes are summed up in a moment."""
    trace = Trace()
    head = trace.process("make", 0, 0, 100_000)
    for i in range(100_000):
        trace.process("cc%d" % (i % 50), head, i, i + 2, cpu=(1, 0),
                      blind="static" if i % 3 else None)
    path = suite.runner.write("large.jsonl", trace.line())
    result = suite.runner.run([COMMAND, "view", "--summary", path])
    result.expect_status(0)
    check(result.seconds < 20, "took %.1f s", result.seconds)
    suite.note("100,000 processes: %.1f s", result.seconds)


sys.exit(suite.main())
