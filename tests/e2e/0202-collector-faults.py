#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Collectors that refuse, delay, break off, lie or never stop talking."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import otlp_receiver
from coverage import HttpSuite
from harness import BARE_ONLY, COMMAND, check
from otlp_receiver import OK, BlackHole, OtlpReceiver
from spancheck import check_spans

# What tracing may add to a program's peak.
MEMORY_BYTES = 32 << 20
SLACK_S = 0.5
suite = HttpSuite("collector-faults")
LIMIT_S = 1.0
BARE = []


def curl(*targets):
    return ["curl", "-sS", *[suite.server.url(t) for t in targets]]


def export(script, argv=None, env=None, default=OK):
    """A traced run against a receiver that follows script."""
    receiver = OtlpReceiver(default)
    receiver.script = list(script)
    with receiver:
        variables = dict(receiver.environment(), **(env or {}))
        result, records = suite.once(argv or curl("/ok"), True, env=variables,
                                     span_file=False, peak=True)
        result.expect_status(0)
        check(result.err == b"", "stderr %r", result.err)
        check_memory(result)
        check(not receiver.errors, "%s", receiver.errors)
    return result, records, receiver


def check_memory(result):
    """Against a bare run, which is made once."""
    if not BARE:
        BARE.append(suite.once(curl("/ok"), False, peak=True)[0].peak_bytes)
    result.added_bytes = result.peak_bytes - BARE[0]
    check(result.added_bytes <= MEMORY_BYTES, "%d MiB more than bare",
          result.added_bytes >> 20)


def delivered(name, script, posts, env=None, least_s=0):
    """Delivered in the end, after so many posts."""
    @suite.case(name)
    def run():
        variables = dict({"AUTOTRACE_EXIT_TIMEOUT": "20000"}, **(env or {}))
        result, records, receiver = export(script, env=variables)
        if BARE_ONLY:
            return
        check(len(receiver.posts) == posts, "%d posts, expected %d",
              len(receiver.posts), posts)
        check(result.seconds >= least_s, "%.2f s: it did not wait",
              result.seconds)
        check_spans(records, receiver.spans())


def not_delivered(name, behaviour, posts=1, env=None, limit_s=LIMIT_S):
    """Given up on, in time, silently, within bounds."""
    @suite.case(name)
    def run():
        result, _, receiver = export([], env=env, default=behaviour)
        if BARE_ONLY:
            return
        check(result.seconds <= limit_s + SLACK_S, "took %.2f s",
              result.seconds)
        if posts:
            check(len(receiver.posts) == posts, "%d posts, expected %d",
                  len(receiver.posts), posts)
        suite.note("%s: %.0f ms, %+.1f MiB", name, result.seconds * 1000,
                   result.added_bytes / 2**20)


status = otlp_receiver.status
delivered("ok", [], 1)
delivered("503-retry-after", [status(503, "1")], 2, least_s=1)
delivered("429-retry-after", [status(429, "1")], 2, least_s=1)
delivered("502-then-504", [status(502), status(504)], 3)
delivered("retry-after-a-date-long-past",
          [status(503, "Fri, 31 Dec 1999 23:59:59 GMT")], 2)
delivered("retry-after-nonsense", [status(503, "soon")], 2)
delivered("closed-without-answer", [otlp_receiver.close_without_answer], 2)
delivered("slow", [otlp_receiver.slow(1.5)], 1, least_s=1.5)
delivered("partial-success-of-nothing",
          [otlp_receiver.partial_success(0, "hm")], 1)

for code in (400, 401, 404, 408, 413, 500, 501):
    not_delivered("never-retried-%d" % code, status(code, "1"))
not_delivered("partial-success", otlp_receiver.partial_success(1, "bad"))
not_delivered("redirect", otlp_receiver.redirect("http://127.0.0.1:1/"))
not_delivered("always-503", status(503), posts=None)
not_delivered("retry-after-an-hour", status(503, "3600"))
not_delivered("too-slow", otlp_receiver.slow(30))
not_delivered("mid-response", otlp_receiver.close_mid_response, posts=None)
not_delivered("garbage", otlp_receiver.garbage, posts=None)
not_delivered("never", otlp_receiver.never)
not_delivered("one-gigabyte", otlp_receiver.endless())
not_delivered("endless-headers", otlp_receiver.endless_headers())


@suite.case("one-gigabyte-is-not-read")
def not_read():
    _, _, receiver = export([], default=otlp_receiver.endless())
    if not BARE_ONLY:
        sent = receiver.posts[0].bytes_sent
        suite.note("of a 1 GiB response %.1f MiB were taken", sent / 2**20)
        check(sent < 32 << 20, "%d MiB were read", sent >> 20)


@suite.case("black-hole-and-many-spans")
def many_spans():
    """Far more spans than the queue holds: bounded, and over in time."""
    with BlackHole() as hole:
        result, records = suite.once(
            ["curl", "-s", "-o", "/dev/null",
             suite.server.url("/ok?i=[0-5999]")], True,
            env=hole.environment(), span_file=False, timeout_s=120, peak=True)
    result.expect_status(0)
    check(len(records) == 6000, "%d requests", len(records))
    check_memory(result)
    suite.note("6,000 spans, black hole: %.2f s, %+.1f MiB", result.seconds,
               result.added_bytes / 2**20)


def counted(name, make, count, **env):
    """The log names every span that nobody got, once."""
    @suite.case("drops-are-counted-" + name)
    def run():
        log = suite.runner.path(name + ".log")
        with make() as collector:
            result, records = suite.once(
                ["curl", "-s", "-o", "/dev/null",
                 suite.server.url("/ok?i=[1-%d]" % count)], True,
                env=dict(collector.environment(), AUTOTRACE_LOG=log, **env),
                span_file=False, timeout_s=120)
        result.expect_status(0)
        if BARE_ONLY:
            return
        with open(log) as file:
            text = file.read()
        lost = sum(int(n) for n in re.findall(
            r"(\d+) spans (?:dropped|rejected)", text.replace(",", "")))
        check(lost == count, "%d of %d spans lost were counted:\n%s", lost,
              count, text)


counted("refusing", lambda: OtlpReceiver(status(400)), 700)
counted("too-late", lambda: OtlpReceiver(status(503, "3600")), 10)


# ---- what `autotrace run` says of it ----------------------------------------

def run_summary(name, make, pattern, argv=None):
    """The last line of a run names what was lost."""
    @suite.case("run-" + name)
    def run():
        if BARE_ONLY:
            return
        with make() as collector:
            result = suite.runner.run(
                [COMMAND, "run", "--", *(argv or curl("/ok"))],
                env=collector.environment(), traced=True, preload=False,
                span_file=False)
        suite.server.drain()
        result.expect_status(0)
        last = result.err.decode().rstrip("\n").rpartition("\n")[2]
        check(re.search(pattern, last), "last line %r does not match %r",
              last, pattern)


MANY = curl("/ok?i=[1-2999]") + ["-o", "/dev/null"]
partial = otlp_receiver.partial_success(2, "bad")
# One span of the run itself, one for each request.
run_summary("delivered", OtlpReceiver, r"trace [0-9a-f]{32}, 2 spans, "
            "0 dropped$")
run_summary("refusing", lambda: OtlpReceiver(status(400)),
            r", 2 spans, 2 dropped \(2 .*failed\)$")
run_summary("black-hole", BlackHole,
            r", 2 spans, 2 dropped \(2 .*exit timeout\)$")
run_summary("partial", lambda: OtlpReceiver(partial),
            r", 2 spans, 2 dropped \(2 .*rejected.*\)$")
run_summary("many-delivered", OtlpReceiver, r"3,000 spans, 0 dropped$", MANY)
run_summary("many-refused", lambda: OtlpReceiver(status(400)),
            r"3,000 spans, 3,000 dropped", MANY)
run_summary("many-black-hole", BlackHole, r"3,000 spans, 3,000 dropped", MANY)
run_summary("many-partial", lambda: OtlpReceiver(partial),
            r"3,000 spans, 12 dropped", MANY)

sys.exit(suite.main())
