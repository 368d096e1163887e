#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The span of a program: when there is one, whose child, what it says."""
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite
from harness import (BARE_ONLY, COMMAND, LIBRARY, check, clean_environment,
                     stop)
from otlp_decode import spans_of_file
from otlp_receiver import OtlpReceiver

suite = HttpSuite("process-spans")
url = suite.server.url
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GIVEN = {"TRACEPARENT": "00-%s-00f067aa0ba902b7-01" % TRACE}
CURL = ["curl", "-sS", url("/ok")]


def case(name):
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


def alone(argv, env=None, **more):
    """Its spans, traced by the preload alone."""
    return suite.runner.run(argv, env=env, traced=True, **more).spans()


def below_run(argv, env=None, status=0):
    result = suite.runner.autotrace_run(argv, ["--quiet"], env=env)
    result.expect_status(status)
    return result.spans()


def named(spans):
    found = {span["name"]: span for span in spans}
    check(len(found) == len(spans), "%s", [span["name"] for span in spans])
    return found


def names(spans):
    return sorted(span["name"] for span in spans)


# ---- when ----

@case("a-bare-preload-has-none")
def bare():
    check(names(alone(["sh", "-c", "curl -sS %s; true" % url("/ok")]))
          == ["GET"], "a span of a program")
    check(names(alone(CURL, {"AUTOTRACE_PROCESS_SPANS": "auto"})) == ["GET"],
          "a span of a program")


@case("a-context-in-the-environment-makes-one")
def given():
    spans = named(alone(CURL, GIVEN))
    check(set(spans) == {"GET", "curl"}, "%s", spans)
    check(spans["curl"]["traceId"] == TRACE and
          spans["curl"]["parentSpanId"] == "00f067aa0ba902b7", "%s", spans)
    check(spans["GET"]["parentSpanId"] == spans["curl"]["spanId"], "%s", spans)


@case("the-setting-decides")
def setting():
    spans = named(alone(CURL, {"AUTOTRACE_PROCESS_SPANS": "true"}))
    check(not spans["curl"]["parentSpanId"] and spans["GET"]["parentSpanId"] ==
          spans["curl"]["spanId"], "%s", spans)
    spans = alone(CURL, {**GIVEN, "AUTOTRACE_PROCESS_SPANS": "false"})
    check(names(spans) == ["GET"] and
          spans[0]["parentSpanId"] == "00f067aa0ba902b7", "%s", spans)


@case("unsampled-is-unsampled")
def unsampled():
    given = {"TRACEPARENT": GIVEN["TRACEPARENT"][:-2] + "00"}
    check(not alone(CURL, given), "spans")
    suite.server.clear()
    check(not below_run(["sh", "-c", "curl -sS %s; true" % url("/ok")], given),
          "spans")
    suite.server.drain()
    header = suite.server.records()[0]["headers"]
    check(TRACE in str(header), "%s", header)


@case("which-programs")
def programs():
    script = ["sh", "-c", "env curl -sS %s; ls | cat" % url("/ok")]
    cases = (
        ({"AUTOTRACE_PROGRAMS": "c*"}, ["GET", "cat", "curl"]),
        ({"AUTOTRACE_PROGRAMS": "/usr/bin/curl,/bin/curl"}, ["GET", "curl"]),
        ({"AUTOTRACE_EXCLUDE_PROGRAMS": "env, *cat"},
         ["GET", "curl", "ls", "sh -c"]),
        ({"AUTOTRACE_EXCLUDE_PROGRAMS": "curl"},
         ["cat", "env", "ls", "sh -c"]))
    for env, expected in cases:
        spans = below_run(script, env)
        # The command of a run is told of by run itself, if need be.
        seen = [n for n in names(spans) if n not in ("sh", "sh -c")]
        check(seen == [n for n in expected if n != "sh -c"], "%s: %s", env,
              names(spans))
        ids = {s["spanId"] for s in spans}
        check(all(s["parentSpanId"] in ids for s in spans
                  if s["parentSpanId"]), "%s: an orphan", env)


# ---- what it says ----

@case("what-it-used")
def usage():
    script = ("import time\nx = bytearray(60 << 20)\nt = time.process_time()\n"
              "while time.process_time() < t + 0.2: pass")
    spans = named(below_run(["sh", "-c", "/usr/bin/python3 -S -c '%s'; true"
                             % script]))
    facts = spans["python3 -c"]["attributes"]
    check(facts["autotrace.process.user_cpu_ms"] +
          facts["autotrace.process.system_cpu_ms"] >= 150, "%s", facts)
    check(60 << 20 < facts["autotrace.process.peak_memory_bytes"] < 150 << 20,
          "%s", facts)
    check(facts["process.executable.path"] ==
          os.path.realpath("/usr/bin/python3"), "%s", facts)
    small = spans["sh -c"]["attributes"]
    # A child's use is not the parent's.
    check(small["autotrace.process.user_cpu_ms"] < 100 and
          small["autotrace.process.peak_memory_bytes"] < 30 << 20, "%s", small)


SECRET = ["env", "-u", "X", "true", "--password=hunter2", "--token", "s3cr3t",
          "https://me:pw@h/?token=abc"]


def args_of(spans):
    found = named(spans)["true"]["attributes"]
    return found.get("process.command_args")


@case("arguments-stay-at-home-without-secrets")
def arguments():
    masked = ["true", "--password=REDACTED", "--token", "REDACTED",
              "https://REDACTED:REDACTED@h/?token=REDACTED"]
    check(args_of(below_run(SECRET)) == masked, "%s",
          args_of(below_run(SECRET)))
    check(args_of(alone(SECRET, GIVEN)) == masked, "without a hub")
    check(args_of(below_run(SECRET, {"AUTOTRACE_COMMAND_ARGS": "none"}))
          is None, "with none")
    for value, expected in (("local", None), ("all", masked), ("none", None)):
        with OtlpReceiver() as receiver:
            saved = below_run(SECRET, {**receiver.environment(),
                                       "AUTOTRACE_COMMAND_ARGS": value})
            check(args_of(receiver.spans()) == expected, "%s: sent %s", value,
                  args_of(receiver.spans()))
            check(args_of(saved) == (None if value == "none" else masked),
                  "%s: saved %s", value, args_of(saved))
        with OtlpReceiver() as receiver:
            alone(SECRET, {**GIVEN, **receiver.environment(),
                           "AUTOTRACE_COMMAND_ARGS": value,
                           "OTEL_TRACES_EXPORTER": "otlp"}, span_file=False)
            check(args_of(receiver.spans()) == expected, "%s, alone: %s",
                  value, args_of(receiver.spans()))


@case("the-working-directory-where-asked-for")
def directory():
    for env, expected in (({}, None),
                          ({"AUTOTRACE_WORKING_DIRECTORY": "true"}, "/usr")):
        spans = named(below_run(["sh", "-c", "cd /usr; ls >/dev/null; true"],
                                env))
        seen = spans["ls"]["attributes"].get("process.working_directory")
        check(seen == expected, "%s", seen)


# ---- whose child ----

@case("without-a-hub-too")
def no_hub():
    """An image ends where another takes its place; environ is not touched,
    so what system() starts is a sibling."""
    spans = named(alone(["env", "sh", "-c", "ls; exec cat /dev/null"], GIVEN))
    check(set(spans) == {"env", "sh -c", "ls", "cat"}, "%s", spans)
    for child, parent in (("sh -c", "env"), ("ls", "sh -c"), ("cat", "sh -c")):
        check(spans[child]["parentSpanId"] == spans[parent]["spanId"], "%s",
              child)
    check(spans["sh -c"]["end_ns"] <= spans["cat"]["start_ns"], "%s", spans)
    check(spans["cat"]["attributes"]["process.exit.code"] == 0 and
          "process.exit.code" not in spans["env"]["attributes"], "%s", spans)


@case("a-context-of-their-own-stays")
def own():
    """What a program hands to its children in its own name is not ours."""
    other = "00-11111111111111111111111111111111-2222222222222222-01"
    spans = named(below_run(["sh", "-c", "TRACEPARENT=%s ls; true" % other]))
    check(spans["ls"]["traceId"] == "1" * 32 and
          spans["ls"]["parentSpanId"] == "2" * 16, "%s", spans)


@case("environ-is-what-it-was")
def environ():
    """The program's own view of its environment: nothing comes or goes."""
    script = ("import os, subprocess; a = dict(os.environ); "
              "subprocess.run(['true']); os.system('true'); "
              "assert a == dict(os.environ); "
              "print(sorted(set(a) - {'_'}))")
    first = suite.runner.autotrace_run(["/usr/bin/python3", "-S", "-c", script],
                                       ["-q"]).expect_status(0)
    second = suite.runner.autotrace_run(
        ["env", "/usr/bin/python3", "-S", "-c", script],
        ["-q"]).expect_status(0)
    check(first.out == second.out, "%r %r", first.out, second.out)


@case("an-environment-that-was-cleared-stays-so")
def cleared():
    result = suite.runner.autotrace_run(["sh", "-c", "env -i /usr/bin/env"],
                                        ["-q"]).expect_status(0)
    check(not result.out, "%r", result.out)


# ---- too many of them ----

@case("large-traces-are-folded-for-collectors")
def fold():
    """The file has all; what is sent has a count in place of the others."""
    script = ("for i in {1..5}; do bash -c 'for i in {1..40}; do /bin/true; "
              "done; /bin/false; curl -sS %s; true'; done" % url("/ok"))
    with OtlpReceiver() as receiver:
        saved = below_run(["bash", "-c", script], {
            **receiver.environment(), "AUTOTRACE_TRACE_SPANS": "30"})
        check(not receiver.errors, "%s", receiver.errors)
        sent = receiver.spans()
    check(len(saved) == 1 + 5 * (1 + 40 + 1 + 2), "%d saved", len(saved))
    ids = {span["spanId"] for span in sent}
    check(len(ids) == len(sent), "sent twice")
    check(all(s["parentSpanId"] in ids for s in sent if s["parentSpanId"]),
          "an orphan")
    folded = sum(s["attributes"].get("autotrace.folded_count", 0)
                 for s in sent)
    check(len(sent) + folded == len(saved) and folded > 150, "%d sent, %d "
          "folded, %d saved", len(sent), folded, len(saved))
    check([s["name"] for s in sent].count("false") == 5 and
          [s["name"] for s in sent].count("GET") == 5, "%s", names(sent))
    check(not [s for s in saved
               if "autotrace.folded_count" in s["attributes"]], "in the file")


# ---- deaths ----

STORM = """
for i in {1..60}; do
    sh -c "sleep 0.0$((RANDOM % 9)); ls >/dev/null; sleep 0.1; true" &
done
wait
true
"""


def descendants(pid):
    found, level = [], [pid]
    while level:
        children = []
        for one in level:
            try:
                for task in os.listdir("/proc/%d/task" % one):
                    with open("/proc/%d/task/%s/children" % (one, task)) as f:
                        children += map(int, f.read().split())
            except OSError:
                pass
        found += children
        level = children
    return found


def is_entered(pid):
    """Has the library been mapped there?"""
    try:
        with open("/proc/%d/maps" % pid) as maps:
            return "libautotrace.so" in maps.read()
    except OSError:
        return False


@case("random-deaths")
def deaths():
    """Whoever dies when: each that was begun is told exactly once."""
    path = suite.runner.path("storm.jsonl")
    process = subprocess.Popen(
        [COMMAND, "run", "-q", "--file", path, "--", "bash", "-c", STORM],
        env=clean_environment(suite.runner.home), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        start_new_session=True)
    killed = entered = 0
    try:
        while process.poll() is None:
            below = descendants(process.pid)[1:]    # not the head
            if below and killed < 40:
                one = random.choice(below)
                known = is_entered(one)
                try:
                    os.kill(one, signal.SIGKILL)
                    killed += 1
                    entered += known
                except ProcessLookupError:
                    pass
            time.sleep(0.004)
    finally:
        stop(process)
    check(process.returncode == 0, "status %s", process.returncode)
    spans = spans_of_file(path)
    ids = {span["spanId"] for span in spans}
    check(len(ids) == len(spans), "told twice")
    check(not [s for s in spans if s["parentSpanId"] and
               s["parentSpanId"] not in ids], "orphans")
    shells = [s for s in spans if s["name"] == "sh -c"]
    dead = [s for s in spans
            if s["attributes"].get("error.type") == "SIGKILL"]
    suite.note("%d killed, %d of them entered: %d spans say so, of %d",
               killed, entered, len(dead), len(spans))
    # Those whose parent was killed as well have nobody to say how they ended,
    # and of those killed before their library was there nobody knows.
    check(len(shells) <= 60 and killed >= 20 and entered and
          len(dead) >= entered // 3, "%d shells, %d killed, %d entered, %d said",
          len(shells), killed, entered, len(dead))
    open_ends = [s["name"] for s in spans
                 if "process.exit.code" not in s["attributes"] and not
                 (s["attributes"].get("autotrace.incomplete") or
                  s["attributes"].get("autotrace.unfinished"))]
    check(not open_ends, "no word of the end of %s", open_ends)


@case("whoever-outlives-the-tree-is-unfinished")
def outlives():
    result = suite.runner.autotrace_run(
        ["sh", "-c", "mkfifo f; env perl -e 'print STDERR qq(1\\n); sleep 1' 2>f & "
         "read x <f; exit 4"], ["-q"], linger_s=5)
    result.expect_status(4)
    spans = named(result.spans())
    check({name for name, span in spans.items()
           if span["attributes"].get("autotrace.unfinished")} ==
          {"env", "perl -e"}, "%s", [(s["name"], s["attributes"])
                                     for s in spans.values()])


@case("a-hub-that-is-killed")
def hub_killed():
    """The tree goes on, with its own status and output."""
    process = subprocess.Popen(
        [COMMAND, "run", "-q", "--", "sh", "-c",
         "echo begun; read line; ls / >/dev/null && echo $line"],
        env=clean_environment(suite.runner.home), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        check(process.stdout.readline() == b"begun\n", "no begin")
        process.kill()
        process.wait()
        out, err = process.communicate(b"the end\n", timeout=20)
        check(out == b"the end\n" and not err, "%r %r", out, err)
    finally:
        stop(process)


@case("exit-in-every-way")
def ends():
    for script, code in (("import os; os._exit(7)", 7),
                         ("import sys; sys.exit(8)", 8),
                         ("import os; os.abort()", 134),
                         ("import ctypes; ctypes.CDLL(None).quick_exit(9)", 9),
                         ("import ctypes; ctypes.CDLL(None)._Exit(10)", 10),
                         ("import ctypes; ctypes.CDLL(None).exit(11)", 11),
                         ("import ctypes; ctypes.CDLL(None)"
                          ".syscall(231, 12)", 12)):
        spans = named(below_run(["sh", "-c", "/usr/bin/python3 -S -c '%s'; "
                                 "true" % script]))
        seen = spans["python3 -c"]["attributes"]["process.exit.code"]
        check(seen == code, "%s: %s", script, seen)


@case("no-word-on-stderr")
def quiet():
    """Nothing is said, and no file or memory is left behind."""
    before = set(os.listdir("/dev/shm")) | set(os.listdir("/tmp"))
    result = suite.runner.autotrace_run(
        ["sh", "-c", "ls | cat; (exit 3); env LD_PRELOAD=%s ls" % LIBRARY],
        ["-q"])
    result.expect_status(0)
    check(not result.err, "%r", result.err)
    left = (set(os.listdir("/dev/shm")) | set(os.listdir("/tmp"))) - before
    check(not [name for name in left if "autotrace" in name], "%s", left)


sys.exit(suite.main())
