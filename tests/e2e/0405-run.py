#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""`autotrace run`: one trace of many programs, and a command left alone."""
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite
from harness import (BARE_ONLY, COMMAND, PROGRAMS, check, clean_environment,
                     stop)
from spancheck import check_spans, client_spans

suite = HttpSuite("run")
url = suite.server.url


def run(argv, *options, **more):
    suite.server.clear()
    result = suite.runner.autotrace_run(argv, options, **more)
    suite.server.drain()
    return result, suite.server.records()


def case(name):
    """A case that needs the command: nothing to do on bare programs."""
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


SHOP = ("curl -sS %s; wget -q -O- %s; python3 %s %s GET /ok none 3 serial -; "
        "exit 7" % (url("/ok?a"), url("/status/404"),
                    os.path.join(PROGRAMS, "client_urllib.py"), url("")))


@case("one-trace")
def one_trace():
    """Every process and request of the tree is in one trace, well nested."""
    result, records = run(["sh", "-c", SHOP])
    check(result.status == 7, "status %s", result.status)
    spans = result.spans()
    check_spans(records, spans)
    check(len({s["traceId"] for s in spans}) == 1, "several traces")
    by_id = {s["spanId"]: s for s in spans}
    roots = [s for s in spans if not s["parentSpanId"]]
    check(len(roots) == 1, "%d roots", len(roots))
    for span in spans:
        if span["parentSpanId"]:
            check(span["parentSpanId"] in by_id, "orphan %s", span)
    check(len({s["resource"]["service.name"] for s in spans}) == 1,
          "several services")
    for span in client_spans(spans):
        check(by_id[span["parentSpanId"]]["kind"] == 1, "parent of %s", span)


@case("stderr-and-last-line")
def last_line():
    result, records = run(["sh", "-c", SHOP])
    bare = suite.runner.run(["sh", "-c", SHOP])
    check(result.out == bare.out, "stdout differs")
    text = result.err.decode()
    spans = result.spans()
    last = text.rstrip("\n").rpartition("\n")[2]
    check(spans[0]["traceId"] in last, "last line %r", last)
    check("%d spans" % len(spans) in last, "last line %r", last)
    check("0 dropped" in last, "last line %r", last)
    check("\x1b" not in text, "escape sequences though no terminal")
    check(len(text.splitlines()) <= 41, "%d lines", len(text.splitlines()))
    check("404" in text, "the failure is not shown:\n%s", text)


@case("quiet")
def quiet():
    result, _ = run(["curl", "-sS", url("/ok")], "--quiet")
    check(result.err == b"", "%r", result.err)
    check(len(client_spans(result.spans())) == 1, "%s", result.spans())


@case("exit-status")
def exit_status():
    for argv, status in ((["true"], 0), (["false"], 1),
                         (["sh", "-c", "exit 42"], 42),
                         (["sh", "-c", "kill -TERM $$"], 128 + 15),
                         (["sh", "-c", "kill -9 $$"], 128 + 9),
                         (["/nonexistent/program"], 127),
                         (["no-such-program-anywhere"], 127),
                         (["/etc/passwd"], 126), (["/"], 126)):
        result, _ = run(argv, "--quiet")
        check(result.status == status, "%s: status %s, expected %s", argv,
              result.status, status)


@case("wrong-use")
def wrong_use():
    """One clear line and exit 2."""
    for words in (["run"], ["run", "--"], ["run", "--nonsense", "--", "true"],
                  ["nonsense"], ["run", "--file"], ["view", "--nonsense"]):
        result = suite.runner.run([COMMAND] + words)
        check(result.status == 2, "%s: status %s", words, result.status)
        check(result.err.count(b"\n") == 1 and not result.out, "%s: %r %r",
              words, result.out, result.err)


@case("standard-input")
def standard_input():
    data = os.urandom(200_000)
    result, _ = run(["cat"], "--quiet", stdin=data)
    check(result.out == data, "stdin did not arrive")


@case("signals-reach-the-command")
def signals():
    """The command's own handler decides."""
    ready = suite.runner.path("ready")
    script = "trap 'echo caught; exit 9' TERM; : >%s; while :; do sleep 0.05;" \
        " done" % ready
    process = subprocess.Popen(
        [COMMAND, "run", "--quiet", "--", "sh", "-c", script],
        stdout=subprocess.PIPE, env=clean_environment(suite.runner.home),
        start_new_session=True)
    deadline = time.monotonic() + 20
    while not os.path.exists(ready) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    try:
        out, _ = process.communicate(timeout=20)
    finally:
        stop(process)
    check((out, process.returncode) == (b"caught\n", 9), "%r, %s", out,
          process.returncode)


@case("nested")
def nested():
    """A run within a run joins its trace."""
    result, records = run([COMMAND, "run", "--quiet", "--", "curl", "-sS",
                           url("/ok")])
    result.expect_status(0)
    check_spans(records, result.spans())
    check(len({s["traceId"] for s in result.spans()}) == 1, "two traces")


@case("no-network-unless-asked")
def no_network():
    path = suite.runner.path("trace")
    suite.runner.run(["strace", "-f", "-qq", "-o", path, "-e",
                      "trace=connect", COMMAND, "run", "--quiet", "--",
                      "curl", "-sS", url("/ok")], collect=False
                     ).expect_status(0)
    suite.server.drain()
    with open(path) as file:
        inet = [line for line in file if "AF_INET" in line]
    check(len(inet) == 1, "connections: %s", inet)


@case("existing-preload-stays")
def existing_preload():
    """An LD_PRELOAD of the user's own is kept, ours comes after it."""
    source = suite.runner.write("hello.c", """
        #include <unistd.h>
        __attribute__((constructor)) static void hello(void)
        { (void)!write(1, "hello\\n", 6); }
    """)
    library = suite.runner.path("hello.so")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source],
                   check=True)
    result, records = run(["sh", "-c", "echo $LD_PRELOAD >list; exec curl -sS "
                           "-o /dev/null %s" % url("/ok")], "--quiet",
                          env={"LD_PRELOAD": library})
    check(result.out.count(b"hello\n") >= 2, "%r", result.out)
    names = result.files["list"].decode().replace(":", " ").split()
    check(names[0] == library and len(names) == 2
          and names[1].endswith("libautotrace.so"), "LD_PRELOAD %s", names)
    check_spans(records, result.spans())


@case("view-draws-what-run-drew")
def view():
    result, _ = run(["sh", "-c", SHOP])
    shown = suite.runner.run([COMMAND, "view", result.span_file])
    shown.expect_status(0)
    piped = suite.runner.run([COMMAND, "view", "-"], stdin=open(
        result.span_file, "rb").read())
    check(piped.out == shown.out, "from stdin:\n%s\nfrom a file:\n%s",
          piped.out.decode(), shown.out.decode())
    tree = [line for line in result.err.decode().splitlines()
            if "GET" in line]
    check(tree, "no GET in the tree:\n%s", result.err.decode())
    for line in tree:
        check(line in shown.out.decode(), "view lacks %r:\n%s", line,
              shown.out.decode())


@case("service-name")
def service_name():
    result, _ = run(["curl", "-sS", url("/ok")], "--service", "shop")
    check({s["resource"]["service.name"] for s in result.spans()} == {"shop"},
          "%s", result.spans()[0]["resource"])


@case("trace-url")
def trace_url():
    result, _ = run(["curl", "-sS", url("/ok")], env={
        "AUTOTRACE_TRACE_URL": "http://ui.test/t/{trace_id}?x=1"})
    trace = result.spans()[0]["traceId"]
    last = result.err.decode().rstrip("\n").rpartition("\n")[2]
    check("http://ui.test/t/%s?x=1" % trace in last, "last line %r", last)


@case("config")
def config():
    """Every setting with its value and where that came from."""
    result = suite.runner.run([COMMAND, "config"], env={
        "OTEL_SERVICE_NAME": "shop", "OTEL_BSP_MAX_QUEUE_SIZE": "-1"})
    result.expect_status(0)
    text = result.out.decode()
    for word in ("OTEL_SERVICE_NAME", "shop", "AUTOTRACE_EXIT_TIMEOUT",
                 "1000", "OTEL_TRACES_SAMPLER", "parentbased_always_on"):
        check(word in text, "%s is not in\n%s", word, text)


@case("background-process-outlives")
def outlives():
    """A child that stays behind does not hold the run up."""
    result = suite.runner.autotrace_run(
        ["sh", "-c", "setsid sleep 5 >/dev/null 2>&1 & echo $!"], ["--quiet"])
    result.expect_status(0)
    os.kill(int(result.out), signal.SIGKILL)
    check(result.seconds < 4, "took %.1f s", result.seconds)


@case("forty-alike-are-folded")
def folded():
    """Forty processes that do the same are one line and its count."""
    script = "i=0; while [ $i -lt 40 ]; do curl -sS %s; i=$((i+1)); done" \
        % url("/ok")
    result, records = run(["sh", "-c", script])
    result.expect_status(0)
    check_spans(records, result.spans())
    check(re.search("[x×] 40", result.err.decode()), "not folded:\n%s",
          result.err.decode())
    whole, _ = run(["sh", "-c", script], "--tree=all")
    check(whole.err.decode().count("GET") >= 40, "--tree=all:\n%s",
          whole.err.decode())


sys.exit(suite.main())
