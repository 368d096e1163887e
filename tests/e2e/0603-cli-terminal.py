#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""`autotrace run` on a terminal: width, colour, Ctrl-C, Ctrl-Z."""
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from harness import BARE_ONLY, COMMAND, check
from terminals import TIMEOUT_S, Terminal
from truth_server import TruthServer

suite = harness.Suite("cli-terminal")
server = TruthServer()
suite.cleanup(server.close)
URL = "http://127.0.0.1:%d" % server.port
# Names long enough to be cut, a failure, and a repeated request.
TRAFFIC = ("curl -sS %s/ok %s/ok %s/ok >out; curl -sS %s/status/500?%s >out; "
           "exit 0" % (URL, URL, URL, URL, "x" * 20))


def case(name):
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


def run(script, *options, **more):
    return Terminal(suite.runner, [COMMAND, "run", *options, "--", "sh", "-c",
                                   script], **more)


def width(line):
    return len(re.sub("\x1b\\[[0-9;]*m", "", line))


@case("the-tree-fits-the-window")
def fits():
    for columns in (40, 60, 80, 100, 200):
        text = run(TRAFFIC, columns=columns).finish().output.decode()
        lines = text.splitlines()
        tree, last = lines[:-1], lines[-1]
        check(len(tree) == 5 and last.startswith("autotrace: trace "), "%s",
              text)
        for line in tree:
            check(width(line) <= columns, "%d: %r", columns, line)
        check(columns < 60 or "█" in text, "no bar: %s", text)


@case("columns-beats-the-window")
def columns_variable():
    text = run(TRAFFIC, env={"COLUMNS": "50"}).finish().output.decode()
    for line in text.splitlines()[:-1]:
        check(width(line) <= 50, "%r", line)


@case("colour-only-where-wanted")
def colour():
    text = run(TRAFFIC).finish().output.decode()
    check("\x1b[31m500\x1b[0m" in text, "%r", text)
    check(text.count("\x1b[0m") * 2 == text.count("\x1b["), "unended: %r",
          text)
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        text = run(TRAFFIC, env=env).finish().output.decode()
        check("\x1b" not in text and "500" in text, "%s: %r", env, text)


@case("ascii-where-the-locale-is-not-utf-8")
def ascii_only():
    text = run(TRAFFIC, env={"LC_ALL": "C"}).finish().output
    check(all(byte < 0x80 for byte in text) and b"#" in text and
          b"x 3" in text, "%r", text)


@case("the-terminal-is-the-commands")
def foreground():
    spy = suite.runner.write("foreground.py", """
import json, os, sys
print(json.dumps([os.isatty(0), os.isatty(1), os.isatty(2),
                  os.tcgetpgrp(0) == os.getpgrp(),
                  os.get_terminal_size().columns, sys.stdin.readline()]))""")
    terminal = run("exec /usr/bin/python3 -S " + spy, "-q", columns=77)
    terminal.type(b"typed\n")
    terminal.finish()
    line = [x for x in terminal.output.splitlines() if x.startswith(b"[")][0]
    check(json.loads(line) == [True, True, True, True, 77, "typed\n"], "%s",
          line)


@case("ctrl-c-ends-both")
def interrupt():
    terminal = run("echo ready; exec sleep 1000")
    terminal.read_until(b"ready").type(b"\x03")
    check(terminal.finish().status == 130, "%s", terminal.status)
    check(b"autotrace: trace " in terminal.output, "%r", terminal.output)
    terminal = run("echo ready; exec sleep 1000")
    terminal.read_until(b"ready").type(b"\x1c")
    check(terminal.finish().status == 131, "%s", terminal.status)


@case("ctrl-c-reaches-the-command-once")
def interrupt_once():
    """Seen by the command, and by a look at what `run` sends."""
    trace = suite.runner.path("kills")
    terminal = Terminal(
        suite.runner, ["/usr/bin/strace", "-f", "-qq", "-e", "trace=kill,tgkill",
         "-e", "signal=none", "-o", trace, COMMAND, "run", "-q", "--",
         "/usr/bin/python3", "-S", "-c", """
import signal
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append("INT"))
print("ready", flush=True)
while not seen:
    signal.pause()
# By now anything passed on has been sent: typed text comes behind it.
input()
print("count", len(seen))"""])
    terminal.read_until(b"ready").type(b"\x03")
    terminal.type(b"\n")
    terminal.finish()
    check(b"count 1" in terminal.output and terminal.status == 0, "%s %r",
          terminal.status, terminal.output)
    with open(trace) as file:
        sent = [line for line in file if "SIGINT" in line]
    check(not sent, "%s", sent)


@case("a-command-that-survives-ctrl-c-is-waited-for")
def survives():
    terminal = run("trap 'echo caught' INT; echo ready; read x; "
                   "read x; echo got $x; exit 5")
    terminal.read_until(b"ready").type(b"\x03")
    terminal.read_until(b"caught").type(b"a\n")
    terminal.read_until(b"a\r\n").type(b"b\n")
    check(terminal.finish().status == 5, "%s %r", terminal.status,
          terminal.output)


# Does what a shell does with a job, and says what it saw.
SHELL = suite.runner.write("shell.py", r"""
import os, signal, sys
def child_of(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        return int(file.read().split()[0])
def state(pid):
    with open("/proc/%d/stat" % pid) as file:
        return file.read().rpartition(")")[2].split()[0]
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
rounds = 0
while True:
    _, status = os.waitpid(pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        break
    os.tcsetpgrp(0, os.getpgrp())
    command = child_of(pid)
    # The terminal's signal goes to one after the other.
    while state(command) != "T":
        pass
    print("stopped by", signal.Signals(os.WSTOPSIG(status)).name,
          state(pid), state(command), flush=True)
    input()
    os.tcsetpgrp(0, pid)
    if rounds % 2 == 0:
        os.killpg(pid, signal.SIGCONT)
    else:
        os.kill(pid, signal.SIGCONT)
    rounds += 1
os.tcsetpgrp(0, os.getpgrp())
print("ended", os.waitstatus_to_exitcode(status), flush=True)
""")


def job(*argv):
    return Terminal(suite.runner, ["/usr/bin/python3", "-S", SHELL, COMMAND, "run", "-q",
                     "--", *argv])


@case("ctrl-z-stops-the-job-and-fg-continues-it")
def stop_and_continue():
    terminal = job("sh", "-c", "echo ready; read x; echo got $x; exit 6")
    terminal.read_until(b"ready")
    for _ in range(4):
        terminal.output = b""
        terminal.type(b"\x1a")
        terminal.read_until(b"stopped by SIGTSTP T T")
        terminal.type(b"\n")
        # Back when the terminal is the job's again and both run.
        wait_running(terminal)
    terminal.type(b"hello\n")
    terminal.read_until(b"got hello")
    terminal.finish()
    check(b"ended 6" in terminal.output, "%r", terminal.output)


def wait_running(terminal):
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        group = os.tcgetpgrp(terminal.master)
        states = [state for pid, state in group_states(group)]
        if group != terminal.pid and len(states) == 2 and "T" not in states:
            return
        time.sleep(0.01)
    check(False, "the job does not run again: %s", states)


def group_states(group):
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name) as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            found.append((int(name), fields[0]))
    return found


@case("a-command-that-stops-itself-stops-the-job")
def stops_itself():
    terminal = job("sh", "-c", "kill -TSTP $$; kill -TSTP $$; echo on; "
                   "exit 7")
    for _ in range(2):
        terminal.read_until(b"stopped by SIGTSTP T T\r\n")
        terminal.output = b""
        terminal.type(b"\n")
    terminal.finish()
    check(b"on\n" in terminal.output and b"ended 7" in terminal.output, "%r",
          terminal.output)


@case("an-interactive-shell-has-its-job-control")
def interactive():
    terminal = Terminal(suite.runner, [COMMAND, "run", "-q", "--", "/bin/bash", "--norc",
                         "-i"], env={"PS1": "% "})
    terminal.read_until(b"% ").type(b"sleep 1000\n")
    terminal.read_until(b"sleep 1000\r\n")
    wait_for_sleep(terminal)
    terminal.type(b"\x1a")
    terminal.read_until(b"Stopped").type(b"kill -9 %1\nexit 3\nexit 3\n")
    check(terminal.finish().status == 3, "%s %r", terminal.status,
          terminal.output)


def wait_for_sleep(terminal):
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        members = harness.session_members(terminal.pid)
        groups = [pid for pid, name in members if name == "sleep"]
        if groups and os.tcgetpgrp(terminal.master) == groups[0]:
            return
        time.sleep(0.01)
    check(False, "sleep did not start")


sys.exit(suite.main())
