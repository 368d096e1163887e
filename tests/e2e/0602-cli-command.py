#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What the command of `autotrace run` finds is what it would find without."""
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from harness import BARE_ONLY, BUILD, COMMAND, LIBRARY, check

suite = harness.Suite("cli-command")
runner = suite.runner
SPY = runner.write("spy.py", """
import ctypes, json, os, re, resource, signal, sys
libc = ctypes.CDLL(None)
def status(name):
    for line in open("/proc/self/status"):
        if line.startswith(name + ":"):
            return line.split()[1]
def descriptors():
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink("/proc/self/fd/" + name)
            # Numbers of pipes and files without a name differ by themselves.
            found[name] = re.sub(r"\\d{3,}", "N", target)
        except OSError:
            pass
    return found
def ignored():
    # python ignores SIGPIPE and SIGXFSZ itself
    return int(status("SigIgn"), 16) & ~(1 << 12 | 1 << 24)
print(json.dumps({
    "fds": descriptors(), "ignored": ignored(), "blocked": status("SigBlk"),
    "caught": int(status("SigCgt"), 16) & ~2, "threads": status("Threads"),
    "group_is_parents": os.getpgrp() == os.getpgid(os.getppid()),
    "session_is_parents": os.getsid(0) == os.getsid(os.getppid()),
    "cwd": os.getcwd(), "umask": os.umask(0), "argv": sys.argv,
    "nice": os.nice(0), "death": libc.prctl(2, ctypes.byref(
        ctypes.c_int())), "limits": [resource.getrlimit(l) for l in range(16)],
    "env": dict(os.environ)}))
""")
OURS = {"LD_PRELOAD", "TRACEPARENT", "AUTOTRACE_HUB", "AUTOTRACE_TLS_SPANS"}


def case(name):
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


def both(argv, prefix=(), options=("-q",), **more):
    """The same bare and under run."""
    bare = runner.run([*prefix, *argv], **more)
    traced = runner.run([*prefix, COMMAND, "run", *options, "--", *argv],
                        **more)
    return bare, traced


def spy(prefix=(), env=None):
    bare, traced = both(["/usr/bin/python3", "-S", SPY, "a b", "", "-q"],
                        prefix, env=env)
    bare, traced = json.loads(bare.out), json.loads(traced.out)
    for name in OURS:
        bare["env"].pop(name, None)
        traced["env"].pop(name, None)
    return bare, traced


@case("nothing-of-it-differs")
def nothing_differs():
    bare, traced = spy()
    bare["group_is_parents"] = bare["session_is_parents"] = True
    for name, value in bare.items():
        check(traced[name] == value, "%s: bare %s, under run %s", name, value,
              traced[name])


@case("ignored-and-blocked-signals-stay-so")
def ignored():
    prefix = ["/usr/bin/python3", "-c", """
import os, signal, sys
for s in (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1):
    signal.signal(s, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2, signal.SIGTERM])
os.execvp(sys.argv[1], sys.argv[1:])"""]
    bare, traced = spy(prefix)
    check(bare["ignored"] & 0x10003 == 0x10003, "%s", bare["ignored"])
    for name in ("ignored", "blocked"):
        check(traced[name] == bare[name], "%s: %s, %s", name, bare[name],
              traced[name])


@case("closed-standard-descriptors-stay-closed")
def closed():
    for shut in ("<&-", "2>&-", "<&- 2>&-"):
        bare, traced = both(
            ["sh", "-c", "readlink /proc/$$/fd/0; readlink /proc/$$/fd/2; "
             "echo $?"], ["sh", "-c", 'exec "$0" "$@" ' + shut], options=())
        lines = [r.out.decode().count("\n") for r in (bare, traced)]
        check(lines[0] == lines[1] and traced.status == 0, "%s: %r %r", shut,
              bare.out, traced.out)


@case("exit-statuses")
def statuses():
    for script, status in (("exit 0", 0), ("exit 1", 1), ("exit 42", 42),
                           ("exit 255", 255), ("kill -9 $$", 137),
                           ("kill -15 $$", 143), ("kill -INT $$", 130)):
        result = runner.run([COMMAND, "run", "-q", "sh", "-c", script])
        result.expect_status(status)
        check(result.err == b"", "%r", result.err)


@case("what-cannot-be-run")
def cannot_run():
    plain = runner.write("plain", "echo no")
    broken = runner.write("broken", b"\x7fELF\x02\x01\x01broken")
    os.chmod(broken, 0o755)
    for argv, status, reason in (
            (["no-such-command-anywhere"], 127, "command not found"),
            (["/nonexistent/x"], 127, "command not found"),
            ([plain], 126, "Permission denied"),
            (["/"], 126, "Permission denied"),
            ([plain + "/x"], 126, "Not a directory")):
        result = runner.run([COMMAND, "run", "--", *argv])
        result.expect_status(status)
        check(result.err.count(b"\n") == 1 and reason in result.err.decode()
              and argv[0] in result.err.decode(), "%s: %r", argv, result.err)


@case("a-script-without-interpreter-line-is-run")
def bare_script():
    script = runner.write("script", "echo ran; exit 4")
    os.chmod(script, 0o755)
    result = runner.run([COMMAND, "run", "-q", script]).expect_status(4)
    check(result.out == b"ran\n", "%r", result.out)


@case("streams-are-untouched")
def streams():
    data = os.urandom(3_000_000)
    for script in ("cat", "cat >&2", "tee /dev/stderr"):
        bare, traced = both(["sh", "-c", script], stdin=data)
        check((bare.out, bare.err) == (traced.out, traced.err), "%s", script)
    result = runner.run([COMMAND, "run", "--", "sh", "-c",
                         "head -c 5 >/dev/null; exit 0"], stdin=data)
    check(result.out == b"", "%r", result.out[:100])


@case("what-is-not-read-of-stdin-is-left")
def stdin_left():
    script = '%s run -q head -n 1; echo "then: $(cat)"' % COMMAND
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as source:
        source.write(b"one\n")
    process = subprocess.run(["sh", "-c", script], stdin=reading,
                             stdout=subprocess.PIPE)
    os.close(reading)
    check(process.stdout == b"one\nthen: \n", "%r", process.stdout)
    # A file's position is shared: the command's reader leaves it where it is.
    lines = runner.write("lines", "1\n2\n3\n")
    with open(lines) as source:
        process = subprocess.run(
            ["sh", "-c", "%s run -q sh -c 'read x; echo got $x'; cat"
             % COMMAND], stdin=source, stdout=subprocess.PIPE)
    check(process.stdout == b"got 1\n2\n3\n", "%r", process.stdout)


@case("environment-gains-three-and-loses-what-is-stale")
def environment():
    env = {"TRACEPARENT": "nonsense", "TRACESTATE": "old=1", "A": "x\ny=z",
           "AUTOTRACE_HUB": "1:2:3"}
    result = runner.run([COMMAND, "run", "-q", "--", "env", "-0"], env=env)
    seen = dict(item.split("=", 1) for item in
                result.out.decode().rstrip("\0").split("\0"))
    check(seen["LD_PRELOAD"] == LIBRARY, "%s", seen)
    check(re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-03",
                       seen["TRACEPARENT"]), "%s", seen["TRACEPARENT"])
    check(re.fullmatch(r"\d+:\d+:\d+", seen["AUTOTRACE_HUB"]) and
          seen["AUTOTRACE_HUB"] != "1:2:3", "%s", seen["AUTOTRACE_HUB"])
    check("TRACESTATE" not in seen and seen["A"] == "x\ny=z", "%s", seen)


@case("a-trace-is-joined")
def joined():
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    env = {"TRACEPARENT": "00-%s-00f067aa0ba902b7-01" % trace,
           "TRACESTATE": "vendor=1"}
    result = runner.autotrace_run(["env"], env=env)
    check(b"TRACEPARENT=00-" + trace.encode() in result.out and
          b"TRACESTATE=vendor=1" in result.out, "%r", result.out)
    root, = result.spans()
    check(root["traceId"] == trace and root["traceState"] == "vendor=1" and
          root["parentSpanId"] == "00f067aa0ba902b7", "%s", root)
    check(root["spanId"] != "00f067aa0ba902b7" and
          root["spanId"].encode() in result.out, "%s", root)


@case("an-unsampled-trace-stays-so")
def unsampled():
    env = {"TRACEPARENT": "00-%s-00f067aa0ba902b7-00" % ("4b" * 16)}
    for env in (env, {"OTEL_TRACES_SAMPLER": "always_off"}):
        result = runner.autotrace_run(["env"], env=env)
        check(result.spans() == [], "%s", result.spans())
        check(re.search(rb"TRACEPARENT=00-\w+-\w+-0[02]\n", result.out),
              "%r", result.out)
        check(b"not sampled" in result.err, "%r", result.err)


@case("the-span-of-the-run")
def root_span():
    result = runner.autotrace_run(["/bin/sh", "-c", "exit 3"])
    result.expect_status(3)
    span, = result.spans()
    facts = span["attributes"]
    check(span["name"] == "sh -c" and span["kind"] == 1 and span["status"] == 2
          and not span["parentSpanId"], "%s", span)
    check(facts["process.exit.code"] == 3 and facts["error.type"] == "3" and
          facts["process.executable.path"] == os.path.realpath("/bin/sh") and
          facts["autotrace.command"] == "/bin/sh", "%s", facts)
    check(result.start_ns <= span["start_ns"] <= span["end_ns"] <=
          result.end_ns, "%s", span)
    result = runner.autotrace_run(["sh", "-c", "kill -9 $$"])
    span, = result.spans()
    check(span["attributes"]["process.exit.code"] == 137 and
          span["attributes"]["error.type"] == "SIGKILL", "%s", span)
    result = runner.autotrace_run(["sh", "-c", "echo $$"])
    span, = result.spans()
    check(span["attributes"]["process.pid"] == int(result.out), "%s %r", span,
          result.out)
    check(span["status"] == 0 and "error.type" not in span["attributes"],
          "%s", span)


@case("a-library-ld-so-cannot-be-told-of")
def odd_paths():
    for name in ("with blank", "with:colon"):
        path = os.path.join(runner.home, name)
        os.mkdir(path)
        shutil.copy(COMMAND, path)
        shutil.copy(LIBRARY, path)
        result = runner.run([os.path.join(path, "autotrace"), "run", "true"])
        check(result.status == 125 and result.err.count(b"\n") == 1 and
              name in result.err.decode(), "%s %r", result.status, result.err)
        os.unlink(os.path.join(path, "libautotrace.so"))
        result = runner.run([os.path.join(path, "autotrace"), "run", "true"])
        check(result.status == 125 and b"libautotrace.so" in result.err,
              "%s %r", result.status, result.err)


@case("the-library-is-found-in-lib")
def installed():
    home = os.path.join(runner.home, "usr")
    os.makedirs(home + "/bin")
    os.makedirs(home + "/lib")
    shutil.copy(COMMAND, home + "/bin")
    for name in os.listdir(BUILD):
        if name.endswith(".so"):
            shutil.copy(os.path.join(BUILD, name), home + "/lib")
    os.symlink(home + "/bin/autotrace", home + "/at")
    for path in ("/bin/autotrace", "/at"):
        result = runner.run([home + path, "run", "-q", "sh", "-c",
                             "echo $LD_PRELOAD"]).expect_status(0)
        check(result.out.decode().strip() == home + "/lib/libautotrace.so",
              "%r", result.out)


@case("too-long-for-exec-is-run-with-its-own-environment")
def too_long():
    """Our variables must not be what makes an exec fail."""
    script = """
import os, sys
argv = sys.argv[1:]
environment = dict(os.environ)
def fits(size):
    block = dict(environment, PAD="")
    for i in range(size // 100000):
        block["P%d" % i] = "x" * 100000
    block["Q"] = "x" * (size % 100000)
    pid = os.fork()
    if pid == 0:
        try:
            os.execvpe(argv[-1], argv[-1:], block)
        except OSError:
            os._exit(99)
    return block if os.waitpid(pid, 0)[1] == 0 else None
low, high = 0, 8000000
while high - low > 1:
    middle = (low + high) // 2
    low, high = (middle, high) if fits(middle) else (low, middle)
# run's own argv is longer than the command's: leave it that room
block = fits(low - 200)
os.execvpe(argv[0], argv, block)
"""
    result = runner.run(["/usr/bin/python3", "-c", script, COMMAND, "run",
                         "-q", "--", "/bin/true"], timeout_s=120)
    result.expect_status(0)


@case("tracing-turned-off")
def turned_off():
    result = runner.run([COMMAND, "run", "env"],
                        env={"OTEL_SDK_DISABLED": "true"}).expect_status(0)
    for name in OURS:
        check(name.encode() + b"=" not in result.out, "%r", result.out)
    check(result.err == b"autotrace: not tracing: OTEL_SDK_DISABLED is true\n",
          "%r", result.err)


sys.exit(suite.main())
