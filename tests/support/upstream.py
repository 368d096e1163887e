#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Other projects' own unittest modules as a test of transparency.

A module runs bare, traced without injection (none) and traced with it
(injected), all at once, each in a network namespace of its own with nothing
but loopback and a collector in it. Test by test the outcomes must be equal,
but for those that a list says differ when injected:

    differs ID what it asserts
    unusable ID why it is not run at all

As a command (by Modules) it is one such run: upstream.py VARIANT MODULE,
the rest of what it must know is JSON on its stdin, its answer JSON on stdout.
"""
import concurrent.futures
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile

from harness import (BARE_ONLY, LONG, PROGRAMS, ROOT, Failure, Runner, Suite,
                     check)
from otlp_receiver import OtlpReceiver
from spancheck import check_frame, client_spans

PYTHON = "/usr/bin/python3"
TESTS = os.path.join(PROGRAMS, "upstream_tests.py")
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
# Spans leave early and often, so that the exporter is at work meanwhile.
SETTINGS = {"OTEL_BSP_SCHEDULE_DELAY": "100"}
VARIANTS = {"bare": {}, "none": {"OTEL_PROPAGATORS": "none"}, "injected": {}}
# Modules at a time: they sleep more than they work.
AT_ONCE = 2
TIMEOUT_S = 1500 if LONG else 350
# Some tests leave a `sleep 3` behind.
LINGER_S = 5
# Bare runs of a test that differed, to see whether it does so by itself.
AGAIN = 6


# ---- one run, inside the namespace ----------------------------------------

def raise_loopback():
    with socket.socket() as sock:
        request = struct.pack("16sH14x", b"lo", 0)
        answer = fcntl.ioctl(sock, SIOCGIFFLAGS, request)
        flags = struct.unpack("16sH14x", answer)[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS,
                    struct.pack("16sH14x", b"lo", flags | IFF_UP))


def options(order):
    """Arguments of upstream_tests.py."""
    found = [part for name in order["without"] for part in ("-x", name)]
    for name in order.get("resources", ()):
        found += ["-u", name]
    only = order.get("only") or not LONG and order.get("classes") or ()
    return found + list(only)


def read_report(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def run_here(variant, module, order):
    """What became of each test, and what was exported."""
    if order["alone"]:
        raise_loopback()
    # Not below the caller's: names of Unix sockets have 107 bytes at most.
    tempfile.tempdir = "/tmp"
    runner = Runner("upstream-" + variant)
    report = runner.path("report")
    user = order.get("user") if os.geteuid() == 0 else None
    if user:
        runner.let_others_in()
        os.chmod(runner.home, 0o777)
    try:
        with OtlpReceiver() as receiver:
            env = dict(SETTINGS, **VARIANTS[variant], **receiver.environment())
            argv = [PYTHON, "-B", TESTS, report, module, *options(order)]
            result = runner.run(argv, env=env, traced=variant != "bare",
                                span_file=False, collect=False, user=user,
                                timeout_s=TIMEOUT_S, linger_s=LINGER_S)
            spans = receiver.spans()
            check(not receiver.errors, "the collector: %s", receiver.errors)
            check_frame(spans)
        tests = read_report(report)
        return {"status": result.status, "seconds": result.seconds,
                "tests": tests, "spans": len(spans),
                "clients": len(client_spans(spans)),
                "err": result.err.decode("utf-8", "replace")[-200000:]}
    except Failure as failure:
        last = [test["id"] for test in read_report(report)][-1:]
        return {"failure": "%s\nthe last test to end: %s" % (failure, last)}
    finally:
        runner.close()


# ---- the comparison -------------------------------------------------------

def namespace():
    """The command that gives a network namespace, if there is one."""
    command = ["unshare", "--net"]
    if os.geteuid() != 0:
        command.append("--map-root-user")
    tried = subprocess.run([*command, "true"], stderr=subprocess.DEVNULL)
    return command if tried.returncode == 0 else []


def outcomes(run):
    """id -> all that was said of it, in order (subtests say more)."""
    found = {}
    for test in run["tests"]:
        found.setdefault(test["id"], []).append(
            "%s %s" % (test["outcome"], test["why"]))
    return found


def differences(one, other):
    """id -> (bare outcome, traced outcome), where they are not equal."""
    left, right = outcomes(one), outcomes(other)
    return {name: (left.get(name, ["not run"]), right.get(name, ["not run"]))
            for name in {**left, **right}
            if left.get(name) != right.get(name)}


def said_of(run, name):
    """The traceback that the run printed for a test."""
    _, found, rest = run["err"].partition(": %s\n" % name)
    return rest.split("\n==== ")[0][-1500:] if found else ""


def read_list(path):
    """kind -> id -> reason"""
    kinds = {"differs": {}, "unusable": {}}
    with open(path) as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                kind, name, reason = line.rstrip("\n").split(" ", 2)
                kinds[kind][name] = reason
    return kinds


def check_page(listed):
    """docs/transparency.md has the list's tests and reasons, and no others."""
    with open(os.path.join(ROOT, "docs/transparency.md")) as file:
        rows = [line.strip() for line in file if line.startswith("| `test.")]
    want = ["| `%s` | %s | %s |" % (name, kind, reason)
            for kind, names in listed.items()
            for name, reason in names.items()]
    wrong = sorted(set(rows) ^ set(want))
    check(not wrong, "the list of tests and docs/transparency.md differ:\n%s",
          "\n".join(wrong))


class Modules(Suite):
    """One case a module, and what was run as notes."""

    def __init__(self, name, listed):
        super().__init__(name)
        self.listed = read_list(os.path.join(ROOT, "tests/e2e", listed))
        self.add("page", check_page, self.listed)
        self.command = namespace()
        self.started = []
        self.cleanup(self.end_all)

    def module(self, name, http=False, long=False, **order):
        """http: it makes requests, so spans must come; long: only in the long
        table. order: resources of `-u`; user, instead of root; classes, of
        which only these are run where it is not the long table."""
        if LONG or not long:
            self.add(name, self.compare, name, http, order)

    def main(self):
        pool = concurrent.futures.ThreadPoolExecutor(
            AT_ONCE if self.command else 1)
        if "-l" not in sys.argv:
            early = {name: pool.submit(function)
                     for name, function in self.chosen()}
            self._cases = [(name, early[name].result if name in early else f)
                           for name, f in self._cases]
        try:
            return super().main()
        finally:
            pool.shutdown(cancel_futures=True)

    def begin(self, variant, module, order):
        without = [name for name in self.listed["unusable"]
                   if name.startswith(module + ".")]
        order = dict(order, alone=bool(self.command), without=without)
        process = subprocess.Popen(
            [*self.command, PYTHON, "-B", os.path.abspath(__file__), variant,
             module], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.started.append(process)
        process.stdin.write(json.dumps(order).encode())
        process.stdin.close()
        return process

    def finish(self, process):
        answer = json.loads(process.stdout.read() or b'{"failure": "died"}')
        process.stdout.close()
        process.wait()
        self.started.remove(process)
        return answer

    def end_all(self):
        for process in self.started:
            process.terminate()
            process.wait()

    def runs(self, variants, module, order):
        """Each variant once; at once, where ports are not shared."""
        begun = (self.begin(v, module, order) for v in variants)
        if self.command:
            begun = list(begun)
        answers = [self.finish(process) for process in begun]
        for variant, answer in zip(variants, answers):
            check("failure" not in answer, "%s: %s", variant,
                  answer.get("failure"))
        return answers

    def compare(self, module, http, order):
        bare, *traced = self.runs(VARIANTS, module, order)
        self.tell(module, bare, traced)
        for name, run in zip(list(VARIANTS)[1:], traced):
            self.compare_one(name, bare, run, module, order)
            if http and not BARE_ONLY:
                check(run["clients"], "%s: no client span", name)

    def compare_one(self, variant, bare, run, module, order):
        check(bare["status"] == run["status"], "exit status: bare %s, %s %s\n"
              "%s", bare["status"], variant, run["status"], run["err"][-2000:])
        found = differences(bare, run)
        listed = {}
        if variant == "injected" and not BARE_ONLY:
            listed = {name: reason for name, reason
                      in self.listed["differs"].items()
                      if name.startswith(module + ".")}
        wrong = ["%s: listed, but does not differ" % name
                 for name in listed if name not in found]
        for name, (want, seen) in found.items():
            if name not in listed and not self.unstable(name, seen, module,
                                                        order):
                wrong.append("%s: bare %s, %s %s\n%s%s" % (
                    name, want, variant, seen, said_of(run, name),
                    said_of(bare, name)))
        check(not wrong, "%d of %d tests (%s):\n%s", len(wrong),
              len(outcomes(bare)), variant, "\n".join(wrong))

    def unstable(self, name, seen, module, order):
        """Whether a bare run comes to the same as the traced one did."""
        order = dict(order, only=[name.split(" ")[0]])
        for _ in range(0, AGAIN, 2):
            for run in self.runs(["bare"] * 2, module, order):
                if outcomes(run).get(name) == seen:
                    self.note("%s: unstable without us too: %s", name, seen)
                    return True
        return False

    def tell(self, module, bare, traced):
        count = {}
        for test in bare["tests"]:
            count[test["outcome"]] = count.get(test["outcome"], 0) + 1
        count.setdefault("ok", 0)
        self.note("%s: %d tests: %s; spans: %s; %d s", module, len(
            outcomes(bare)), ", ".join("%d %s" % (n, what) for what, n in
                                       sorted(count.items())),
            " and ".join(str(run["spans"]) for run in traced),
            bare["seconds"])
        for test in bare["tests"]:
            if test["outcome"] in ("FAIL", "ERROR"):
                self.note("%s: %s without us", test["id"], test["outcome"])


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    variant, module = sys.argv[1:]
    answer = run_here(variant, module, json.load(sys.stdin))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
