#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Programs for people, under `autotrace run`, as before."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from harness import BARE_ONLY, COMMAND, check, read_files
from terminals import Terminal

suite = harness.Suite("interactive")
RUN = [COMMAND, "run", "-q", "--"]
NUMBER = re.compile(rb"0x[0-9a-f]+|\d+([.,]\d+)*")


def case(name):
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


def talk(argv, prefix, steps, env=None):
    """Type each step's keys when its text has been seen; what came of it."""
    terminal = Terminal(suite.runner, [*prefix, *argv], env=env)
    for seen, keys in steps:
        terminal.read_until(seen)
        terminal.output = terminal.output.partition(seen)[2]
        terminal.type(keys)
    terminal.finish()
    return terminal, read_files(terminal.directory)


def alike(argv, steps, status, compare_output=True, **more):
    bare, bare_files = talk(argv, [], steps, **more)
    traced, files = talk(argv, RUN, steps, **more)
    check(bare.status == traced.status == status, "status %s, bare %s",
          traced.status, bare.status)
    check(files == bare_files, "files: %s, bare %s", files, bare_files)
    if compare_output:
        check(traced.output == bare.output, "%r, bare %r", traced.output,
              bare.output)


@case("bash")
def bash():
    alike(["/bin/bash", "--norc", "--noprofile", "-i"], [
        (b"bash-", b"PS1='> '\n"), (b"\n", b"sh -c 'echo up; exec sleep 60'\n"),
        (b"\rup\r\n", b"\x1a"), (b"Stopped", b"bg\n"),
        (b"&\r\n", b"kill %1; wait; ls /dev/null | cat; echo $?\n"),
        (b"0\r\n", b"exit 3\n")], 3, compare_output=False)


@case("vim")
def vim():
    alike(["/usr/bin/vi", "-u", "NONE", "-N", "file"],
          [(b"file", b"ihello\x1b:r !echo from a child\n"),
           (b"from a child", b":wq\n")], 0, compare_output=False)


@case("less")
def less():
    path = suite.runner.write("long", "".join("line %d\n" % i
                                              for i in range(500)))
    alike(["/usr/bin/less", path], [(b"line 20", b"G"), (b"line 499", b"q")],
          0)


@case("tmux")
def tmux():
    """Its server outlives the client that started it."""
    for prefix in ([], RUN):
        socket = suite.runner.path("tmux")
        tool = ["/usr/bin/tmux", "-S", socket, "-f", "/dev/null"]
        result = suite.runner.run([*prefix, *tool, "new-session", "-d",
                                   "echo in tmux >out; exec sleep 60"],
                                  linger_s=0, collect=False,
                                  cwd=suite.runner.home)
        check(result.status == 0 and not result.err, "%s %r", result.status,
              result.err)
        suite.runner.run([*tool, "wait-for", "-S", "x"], collect=False)
        result = suite.runner.run([*tool, "kill-server"], collect=False)
        check(result.status == 0, "no server: %r", result.err)


def plain(argv, status=0, quiet=lambda data: NUMBER.sub(b"N", data)):
    """The same output, but for numbers."""
    bare = suite.runner.run(argv)
    traced = suite.runner.run([*RUN, *argv])
    check(traced.status == bare.status == status, "status %s, bare %s: %r",
          traced.status, bare.status, traced.err)
    for one, other in ((traced.out, bare.out), (traced.err, bare.err)):
        check(quiet(one) == quiet(other), "%r, bare %r", one, other)


@case("gdb")
def gdb():
    """The program below it is traced, the debugger is not."""
    plain(["gdb", "-nx", "-batch", "-ex", "break exit", "-ex", "run", "-ex",
           "continue", "--args", "/bin/echo", "debugged"],
          quiet=lambda data: b"debugged" in data)


@case("strace")
def strace():
    plain(["strace", "-f", "-e", "trace=execve,wait4", "-e", "signal=none",
           "sh", "-c", "/bin/true; exit 4"], 4,
          quiet=lambda data: sorted(set(re.findall(
              rb"execve\(\"([^\"]*)\"|exited with (\d+)", data))))


@case("perf")
def perf():
    bare = suite.runner.run(["perf", "stat", "-e", "task-clock", "true"])
    plain(["perf", "stat", "-e", "task-clock", "true"], bare.status,
          quiet=lambda data: re.sub(rb"[ \t]*[0-9.,]+", b" N", data))


@case("a-terminal-that-goes-away")
def hang_up():
    """SIGHUP reaches the shell below, and it ends."""
    # A child of dash has its parent's trap until it has got round to it.
    terminal = Terminal(suite.runner, [
        *RUN, "/bin/sh", "-c", "trap 'echo gone >out; exit' HUP; "
        "sh -c 'echo here; exec sleep 60' & wait"])
    terminal.read_until(b"here")
    os.close(terminal.master)
    os.waitpid(terminal.pid, 0)
    left = harness.reap_session(terminal.pid)
    check(not left, "left behind: %s", left)
    check(read_files(terminal.directory).get("out") == b"gone\n", "%s",
          read_files(terminal.directory))


sys.exit(suite.main())
