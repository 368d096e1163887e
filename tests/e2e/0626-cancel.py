#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A cancelled job: signals are passed on, and within two seconds everything
that had ended is where it belongs, whatever the command makes of it."""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite
from harness import BARE_ONLY, COMMAND, check, clean_environment, stop
from otlp_receiver import OtlpReceiver

suite = HttpSuite("cancel")
url = suite.server.url
WITHIN_S = 2


def case(name):
    """A case that needs the command: nothing to do on bare programs."""
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


class Job:
    """A run whose command has made a request and then says so."""

    def __init__(self, receiver, script, *options):
        self.ready = suite.runner.path("ready")
        if os.path.exists(self.ready):
            os.remove(self.ready)
        script = "trap '%s' INT TERM; curl -sS %s >/dev/null; : >%s; %s" % (
            script[0], url("/ok"), self.ready, script[1])
        self.process = subprocess.Popen(
            [COMMAND, "run", *options, "--", "sh", "-c", script],
            env={**clean_environment(suite.runner.home),
                 **receiver.environment()}, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True)
        deadline = time.monotonic() + 30
        while not os.path.exists(self.ready):
            check(time.monotonic() < deadline, "not ready")
            time.sleep(0.005)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        stop(self.process)
        self.process.stdout.close()
        self.process.stderr.close()

    def end(self, timeout_s=20):
        out, err = self.process.communicate(timeout=timeout_s)
        return self.process.returncode, out, err


LOOP = "while :; do sleep 0.05; done"


def unfinished(spans):
    return [s for s in spans if s["attributes"].get("autotrace.unfinished")]


@case("a-command-that-obeys")
def obeys():
    for signum in (signal.SIGTERM, signal.SIGINT):
        with OtlpReceiver() as receiver:
            with Job(receiver, ("echo bye; exit 9", LOOP), "-q") as job:
                begun = time.monotonic()
                job.process.send_signal(signum)
                status, out, err = job.end()
                check((status, out, err) == (9, b"bye\n", b""), "%s %r %r",
                      status, out, err)
                check(time.monotonic() - begun < WITHIN_S, "took too long")
            spans = receiver.spans()
            check(not receiver.errors, "%s", receiver.errors)
            check(any(s["kind"] == 3 for s in spans), "no request: %s", spans)
            check(not unfinished(spans), "%s", spans)


@case("a-command-that-does-not")
def stubborn():
    """The spans are out before the runner loses its patience and kills all."""
    for options in ((), ("--keep=errors",)):
        with OtlpReceiver() as receiver:
            with Job(receiver, ("", LOOP), "-q", *options) as job:
                begun = time.monotonic()
                job.process.send_signal(signal.SIGTERM)
                spans = receiver.wait_spans(2, timeout_s=WITHIN_S)
                check(time.monotonic() - begun < WITHIN_S, "took too long")
                os.killpg(job.process.pid, signal.SIGKILL)
                job.end()
            check(not receiver.errors, "%s", receiver.errors)
            check(any(s["kind"] == 3 for s in spans), "no request: %s", spans)
            roots = [s for s in spans if not s["parentSpanId"]]
            check(len(roots) == 1 and roots == unfinished(roots), "%s", roots)
            check("process.exit.code" not in roots[0]["attributes"], "%s",
                  roots)


@case("a-command-that-takes-its-time")
def late():
    """What ends after the flush is exported too, and nothing twice."""
    clean = "sleep 1.2; curl -sS %s >/dev/null; echo clean; exit 5" % url(
        "/status/404")
    for options in ((), ("--keep=errors",)):
        with OtlpReceiver() as receiver:
            with Job(receiver, (clean, LOOP), *options) as job:
                job.process.send_signal(signal.SIGINT)
                status, out, err = job.end()
            check((status, out) == (5, b"clean\n"), "%s %r %r", status, out,
                  err)
            spans = receiver.spans()
            check(not receiver.errors, "%s", receiver.errors)
        ids = [s["spanId"] for s in spans]
        check(len(ids) == len(set(ids)), "twice: %s", ids)
        codes = [s["attributes"].get("http.response.status_code")
                 for s in spans if s["kind"] == 3]
        check(sorted(codes) == [200, 404], "%s", codes)
        check(b"0 dropped" in err and b"not kept" not in err, "%r", err)


@case("the-whole-group")
def group():
    """Who signals everybody, as a terminal does, is understood as well."""
    with OtlpReceiver() as receiver:
        with Job(receiver, ("exit 6", LOOP), "-q") as job:
            os.killpg(job.process.pid, signal.SIGINT)
            status, _, err = job.end()
        check((status, err) == (6, b""), "%s %r", status, err)
        check(len(receiver.spans()) >= 2, "%s", receiver.spans())


@case("twice-is-not-more")
def twice():
    """GitHub sends SIGINT, then SIGTERM."""
    with OtlpReceiver() as receiver:
        with Job(receiver, ("", LOOP), "-q") as job:
            job.process.send_signal(signal.SIGINT)
            receiver.wait_spans(2, timeout_s=WITHIN_S)
            job.process.send_signal(signal.SIGTERM)
            time.sleep(1)
            os.killpg(job.process.pid, signal.SIGKILL)
            job.end()
        ids = [span["spanId"] for span in receiver.spans()]
        check(len(set(ids)) == len(ids), "told twice: %s", receiver.spans())
        check("sh -c" in [s["name"] for s in unfinished(receiver.spans())],
              "%s", receiver.spans())


@case("a-collector-that-says-nothing")
def silent():
    """It costs a cancelled run no more than its time."""
    from otlp_receiver import never
    with OtlpReceiver(default=never) as receiver:
        with Job(receiver, ("exit 6", LOOP), "-q") as job:
            begun = time.monotonic()
            job.process.send_signal(signal.SIGTERM)
            status, _, _ = job.end()
            check(status == 6 and time.monotonic() - begun < WITHIN_S,
                  "status %s after %.1f s", status, time.monotonic() - begun)


sys.exit(suite.main())
