#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Programs that crash: with AUTOTRACE_STACKS=crashes their spans say where;
they themselves see, print and leave behind what they would without us."""
import glob
import os
import re
import resource
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from harness import BARE_ONLY, BUILD, COMMAND, check, clean_environment

suite = harness.Suite("crashes")
runner = suite.runner
CRASH = os.path.join(BUILD, "programs", "crash")
ASKED = {"AUTOTRACE_STACKS": "crashes"}


def case(name):
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


def exception_of(span):
    """Its one event; {} when it has none."""
    events = span.get("events", [])
    check(len(events) <= 1, "%s", events)
    for event in events:
        check(event["name"] == "exception", "%s", event)
        check(span["start_ns"] <= event["time_ns"] <= span["end_ns"],
              "%s outside of %s", event, span)
        return event["attributes"]
    return {}


def crashed(how, env=None, program=(CRASH,)):
    """Its exception, after it was found to behave as it does bare."""
    bare = runner.run([*program, how])
    result = runner.autotrace_run([*program, how], ["-q"],
                                  env=ASKED if env is None else env)
    # The command's own status is a shell's: 128 and the signal.
    status = bare.status if bare.status >= 0 else 128 - bare.status
    check(result.status == status, "%s: status %d, not %d", how,
          result.status, status)
    check(result.out == bare.out, "%s: %r, bare %r", how, result.out, bare.out)
    check(result.err == bare.err, "%s: %r, bare %r", how, result.err, bare.err)
    span, = [s for s in result.spans() if s["kind"] == 1]
    return exception_of(span), span


FUNCTION = re.compile(r"#\d+ (\S+)\+0x[0-9a-f]+ \((\S+)\+0x[0-9a-f]+\)")


def functions(exception):
    lines = exception["exception.stacktrace"].splitlines()
    return [match[1] for match in map(FUNCTION.match, lines) if match]


SIGNALS = {
    "segv": ("SIGSEGV", "Segmentation fault: nothing is mapped at 0x10",
             ["crash_here", "main"]),
    "bus": ("SIGBUS", "Bus error: nothing is behind the mapping at 0x",
            ["crash_here", "main"]),
    "ill": ("SIGILL", "Illegal instruction: no such instruction at 0x",
            ["main"]),
    "fpe": ("SIGFPE", "Floating point exception: integer division by zero",
            ["main"]),
    "abort": ("SIGABRT", "Aborted", ["abort", "main"]),
    "raise": ("SIGSEGV", "Segmentation fault", ["main"]),
    "restored": ("SIGSEGV", "Segmentation fault: nothing is mapped at 0x10",
                 ["crash_here", "main"]),
    "default": ("SIGSEGV", "Segmentation fault: nothing is mapped at 0x10",
                ["crash_here", "main"]),
    "thread": ("SIGSEGV", "Segmentation fault: nothing is mapped at 0x10",
               ["crash_here", "in_thread"]),
}


def add_signal(how, name, message, expected):
    @case(how)
    def _():
        exception, span = crashed(how)
        check(exception.get("exception.type") == name, "%s", exception)
        check(exception["exception.message"].startswith(message), "%s",
              exception)
        seen = [f for f in functions(exception) if f in expected]
        check(seen == expected, "%s in %s", expected, exception)
        check(span["attributes"]["error.type"] == name, "%s", span)


for one, facts in SIGNALS.items():
    add_signal(one, *facts)


@case("overflow")
def overflow():
    """On a stack of our own; a function that calls itself is one line."""
    exception, _ = crashed("overflow")
    stack = exception["exception.stacktrace"]
    check(stack.count("crash_by_depth") <= 2 and "and again: " in stack, "%s",
          stack)


@case("whoever-has-a-handler-has-no-crash")
def handled():
    for how in ("handler", "siglongjmp", "ignored", "forked", "stack", "none"):
        exception, _ = crashed(how)
        check(not exception, "%s: %s", how, exception)


@case("not-asked-for")
def not_asked():
    for env in ({}, {"AUTOTRACE_STACKS": "none"}):
        exception, span = crashed("segv", env)
        check(not exception and span["attributes"]["error.type"] == "SIGSEGV",
              "%s", span)


@case("bare-preloads-have-nobody-to-ask")
def no_hub():
    bare = runner.run([CRASH, "segv"])
    result = runner.run([CRASH, "segv"], traced=True, env=ASKED)
    check((result.status, result.out) == (bare.status, bare.out), "%s", result)


@case("sent-by-another")
def sent():
    result = runner.autotrace_run(
        ["sh", "-c", "mkfifo f; perl -e '$| = 1; print qq(1\\n); sleep 60' >f & "
         "read x <f; echo $$; kill -ABRT $!; wait $!"], ["-q"], env=ASKED)
    result.expect_status(128 + signal.SIGABRT)
    span, = [s for s in result.spans() if s["name"] == "perl -e"]
    check(exception_of(span)["exception.message"] ==
          "Aborted: sent by process %d" % int(result.out), "%s", span)


def core_of(prefix):
    """The backtrace in the core that a crash leaves; None where it leaves
    none: /proc/sys/kernel/core_pattern may hand it to a program."""
    directory = runner.fresh()
    process = subprocess.run(
        [*prefix, CRASH, "segv"], cwd=directory, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        env={**clean_environment(runner.home), **ASKED},
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
    found = glob.glob(os.path.join(directory, "core*"))
    if not found:
        return process.returncode, None
    shown = subprocess.run(
        ["gdb", "-nx", "-batch", "-ex", "bt", "-ex", "p $_siginfo.si_signo",
         "-ex", "p $_siginfo.si_code",
         "-ex", "p $_siginfo._sifields._sigfault.si_addr", CRASH, found[0]],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
        stdin=subprocess.DEVNULL).stdout.decode()
    shown = re.sub(r"0x[0-9a-f]{8,}", "ADDRESS", shown)
    return process.returncode, re.findall(r"^(?:#\d|\$\d).*", shown, re.M)


@case("core-dumps-are-the-same")
def cores():
    status, bare = core_of([])
    traced_status, traced = core_of([COMMAND, "run", "-q", "--"])
    check((status, traced_status) == (-signal.SIGSEGV, 128 + signal.SIGSEGV),
          "%s %s", status, traced_status)
    check(traced == bare, "%s, bare %s", traced, bare)
    if bare is None:
        suite.note("no core dumps here: not compared")
    else:
        check(any("crash_here" in line for line in bare), "%s", bare)


@case("many-at-once")
def many():
    """More than there are boxes: each dies in time and says what it can."""
    result = runner.autotrace_run(
        ["sh", "-c", "for i in $(seq 60); do %s segv >/dev/null & done; wait"
         % CRASH], ["-q"], env=ASKED)
    result.expect_status(0)
    spans = [s for s in result.spans() if s["name"] == "crash"]
    check(len(spans) == 60, "%d spans", len(spans))
    for span in spans:
        check(span["attributes"]["error.type"] == "SIGSEGV", "%s", span)
    told = [s for s in spans if exception_of(s)]
    check(len(told) >= 10, "%d with a stack", len(told))


@case("languages")
def languages():
    """Runtimes with handlers of their own."""
    script = "import faulthandler, ctypes; %sctypes.string_at(16)"
    for how in (script % "", script % "faulthandler.enable(); "):
        bare = runner.run(["/usr/bin/python3", "-S", "-c", how])
        result = runner.autotrace_run(["/usr/bin/python3", "-S", "-c", how],
                                      ["-q"], env=ASKED)
        result.expect_status(128 + signal.SIGSEGV)
        check(re.sub(rb"0x[0-9a-f]+", b"", result.err) ==
              re.sub(rb"0x[0-9a-f]+", b"", bare.err), "%r, bare %r",
              result.err, bare.err)
        span, = [s for s in result.spans() if s["kind"] == 1]
        exception = exception_of(span)
        check(exception.get("exception.type") == "SIGSEGV", "%s", span)
    path = runner.write("Null.java", """
public class Null {
    static int length(String s) { return s.length(); }
    public static void main(String[] a) {
        int caught = 0;
        for (int i = 0; i < 200000; i++)
            try { length(i % 2 == 0 ? null : "x"); }
            catch (NullPointerException e) { caught++; }
        System.out.println(caught);
    }
}
""")
    result = runner.autotrace_run(["java", path], ["-q"], env=ASKED)
    result.expect_status(0)
    check(result.out == b"100000\n", "%r", result.out)


sys.exit(suite.main())
