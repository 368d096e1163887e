#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""`autotrace run` and signals that are not typed; its own violent death."""
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from harness import BARE_ONLY, COMMAND, check, clean_environment, stop
from truth_server import TruthServer

suite = harness.Suite("cli-signals")
server = TruthServer()
suite.cleanup(server.close)
TIMEOUT_S = 30
# Counts every signal it can, says which came first, ends on TERM.
COUNTER = suite.runner.write("counter.py", """
import json, os, signal, sys
names = ("HUP", "INT", "QUIT", "USR1", "USR2", "CONT", "TERM")
wanted = [getattr(signal, "SIG" + name) for name in names]
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
print(os.getpid(), flush=True)
seen = []
while signal.SIGTERM not in seen:
    seen.append(signal.sigwaitinfo(wanted).si_signo)
    print(signal.Signals(seen[-1]).name, flush=True)
sys.exit(9)
""")


def case(name):
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


class Job:
    """`autotrace run` in a session of its own, its output line by line."""

    def __init__(self, *argv, prefix=(), options=("-q",), **more):
        self.process = subprocess.Popen(
            [*prefix, COMMAND, "run", *options, "--", *argv],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=clean_environment(suite.runner.home), cwd=suite.runner.home,
            start_new_session=True, **more)
        self.pid = self.process.pid

    def line(self):
        return self.process.stdout.readline().decode().strip()

    def send(self, number):
        self.process.send_signal(number)

    def finish(self):
        try:
            return self.process.wait(TIMEOUT_S)
        finally:
            stop(self.process)


def wait_for(condition, what):
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        check(time.monotonic() < deadline, "timed out: %s", what)
        time.sleep(0.01)


def counter(**more):
    job = Job("/usr/bin/python3", "-S", COUNTER, **more)
    return job, int(job.line())


@case("signals-sent-to-run-arrive-once-each")
def forwarded():
    job, _ = counter()
    for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2",
                 "SIGUSR1", "SIGTERM"):
        job.send(getattr(signal, name))
        check(job.line() == name, "%s did not arrive", name)
    check(job.finish() == 9, "%s", job.process.returncode)


@case("signals-sent-to-the-command-are-its-own")
def direct():
    job, pid = counter()
    for name in ("SIGINT", "SIGTERM"):
        os.kill(pid, getattr(signal, name))
        check(job.line() == name, "%s did not arrive", name)
    check(job.finish() == 9, "%s", job.process.returncode)


@case("death-by-a-signal-sent-to-run")
def death():
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT,
                   signal.SIGUSR1):
        job = Job("sh", "-c", "echo; exec sleep 1000")
        job.line()
        job.send(number)
        check(job.finish() == 128 + number, "%s: %s", number,
              job.process.returncode)


@case("under-timeout")
def timeout():
    """timeout(1) signals run and then the whole group."""
    begun = time.monotonic()
    job = Job("sleep", "1000", prefix=["timeout", "0.3"])
    check(job.finish() == 124 and time.monotonic() - begun < 10, "%s",
          job.process.returncode)


@case("signals-ignored-from-the-start-are-ignored")
def ignored():
    job = Job("sh", "-c", "echo; read x; exit 4", prefix=["nohup"],
              stderr=subprocess.DEVNULL)
    job.line()
    job.send(signal.SIGHUP)
    job.process.stdin.write(b"x\n")
    job.process.stdin.flush()
    check(job.finish() == 4, "%s", job.process.returncode)


@case("a-command-stopped-and-continued-by-pid")
def stopped():
    job, pid = counter()
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: state(pid) == "T", "stop")
    os.kill(pid, signal.SIGCONT)
    check(job.line() == "SIGCONT", "no SIGCONT")
    check(state(job.pid) != "T", "run was stopped as well")
    job.send(signal.SIGTERM)
    check(job.line() == "SIGTERM" and job.finish() == 9, "%s",
          job.process.returncode)


def state(pid):
    with open("/proc/%d/stat" % pid) as file:
        return file.read().rpartition(")")[2].split()[0]


@case("sigchld-ignored-by-the-caller")
def no_children():
    """The kernel would reap the command before its status is seen."""
    prefix = ["/usr/bin/python3", "-S", "-c", "import os, signal, sys; "
              "signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
              "os.execv(sys.argv[1], sys.argv[1:])"]
    job = Job("sh", "-c", "exit 42", prefix=prefix)
    check(job.finish() == 42, "%s", job.process.returncode)


@case("stderr-without-a-reader")
def broken_pipe():
    """The last line cannot be written; the exit status must not suffer."""
    reading, writing = os.pipe()
    os.close(reading)
    job = Job("sh", "-c", "exit 42", options=(), stderr=writing)
    os.close(writing)
    check(job.finish() == 42, "%s", job.process.returncode)


@case("stderr-that-nobody-empties")
def full_pipe():
    """Made non-blocking by the command and full: waited for a second."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"x" * 4096)
    except BlockingIOError:
        pass
    begun = time.monotonic()
    job = Job("sh", "-c", "exit 42", options=(), stderr=writing)
    status = job.finish()
    seconds = time.monotonic() - begun
    os.close(reading)
    os.close(writing)
    check(status == 42 and seconds < 10, "%s, %.1f s", status, seconds)


@case("kill-9-of-run-leaves-the-command-unharmed")
def killed():
    """Traced, it goes on to its end, requests included."""
    done = suite.runner.path("done")
    url = "http://127.0.0.1:%d/ok" % server.port
    server.clear()
    fifo = suite.runner.path("fifo")
    os.mkfifo(fifo)
    job = Job("sh", "-c", "curl -sS %s >/dev/null; echo $$; read x <%s; "
              "curl -sS %s >/dev/null; echo $? >%s.part; mv %s.part %s"
              % (url, fifo, url, done, done, done))
    command = int(job.line())
    job.send(signal.SIGKILL)
    check(job.process.wait(TIMEOUT_S) == -9, "%s", job.process.returncode)
    check(state(command) in "RSD", "the command is %s", state(command))
    with open(fifo, "w") as gate:
        gate.write("go\n")
    wait_for(lambda: os.path.exists(done), "the command's end")
    with open(done) as file:
        check(file.read() == "0\n", "the second request failed")
    server.drain()
    check(len(server.records()) == 2, "%d requests", len(server.records()))
    wait_for(lambda: not harness.session_members(job.pid), "no leftovers")
    stop(job.process)


@case("daemons-are-not-waited-for")
def daemon():
    result = suite.runner.path("daemon")
    begun = time.monotonic()
    job = Job("sh", "-c", "setsid sh -c 'echo $$ >%s; exec sleep 1000' "
              "</dev/null >/dev/null 2>&1 & until [ -s %s ]; do :; done; "
              "exit 8" % (result, result))
    status = job.finish()
    with open(result) as file:
        pid = int(file.read())
    os.kill(pid, signal.SIGKILL)
    check(status == 8 and time.monotonic() - begun < 20, "%s", status)


@case("nothing-is-left-behind")
def nothing_left():
    """No name is ever made: not by run, not by what it traces."""
    path = suite.runner.path("files")
    suite.runner.run(
        ["strace", "-f", "-qq", "-e", "trace=%file", "-o", path, COMMAND,
         "run", "-q", "--", "curl", "-sS", "-o", "/dev/null",
         "http://127.0.0.1:%d/ok" % server.port]).expect_status(0)
    with open(path) as file:
        lines = file.readlines()
    made = [line for line in lines if "/dev/null" not in line and (
        "O_CREAT" in line or re.search(r"\b(mk|link|symlink|rename)", line))]
    check(len(lines) > 20 and not made, "%s", made)


@case("the-hub-is-an-anonymous-file-of-run")
def hub():
    job = Job("sh", "-c", "echo $AUTOTRACE_HUB; read x")
    pid, descriptor, start = map(int, job.line().split(":"))
    check(pid == job.pid, "hub of %d, run is %d", pid, job.pid)
    link = os.readlink("/proc/%d/fd/%d" % (pid, descriptor))
    check(link.startswith("/memfd:"), "%s", link)
    with open("/proc/%d/stat" % pid) as file:
        check(int(file.read().rpartition(")")[2].split()[19]) == start,
              "start time")
    job.process.stdin.close()
    job.finish()


@case("no-network-when-nothing-is-configured")
def network():
    path = suite.runner.path("trace")
    for extra in ([], ["--file", suite.runner.path("spans")]):
        suite.runner.run(
            ["strace", "-f", "-qq", "-e", "trace=network", "-o", path,
             COMMAND, "run", *extra, "--", "sh", "-c", "exit 3"]
        ).expect_status(3)
        with open(path) as file:
            text = file.read()
        check(text == "", "%s", text)


@case("counts-are-printed-as-json-would-have-them")
def spans_of_many():
    """Forty processes at once, every span in the list and in the file."""
    script = ("for i in $(seq 40); do curl -sS http://127.0.0.1:%d/ok "
              ">/dev/null & done; wait" % server.port)
    result = suite.runner.autotrace_run(["sh", "-c", script])
    result.expect_status(0)
    with open(result.span_file) as file:
        spans = [span for line in file for resource in
                 json.loads(line)["resourceSpans"] for scope in
                 resource["scopeSpans"] for span in scope["spans"]]
    check(len(spans) == len(result.spans()) == 82, "%d spans", len(spans))
    text = result.err.decode()
    check(", 82 spans, 0 dropped\n" in text and " /ok x 40 " in text and
          "curl x 40 " in text and text.count("\n") == 5, "%s", text)


sys.exit(suite.main())
