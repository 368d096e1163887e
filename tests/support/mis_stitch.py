# SPDX-License-Identifier: Apache-2.0
"""Right, none or wrong: under whose request do a server's calls hang?

A Table runs one server after another under `autotrace run`, asks each for /N
at concurrency 1 and then 50, and compares the parent of each call with the
number that the call's own path carries.
"""
import collections

import harness
import otlp_decode
from daemons import Daemon
from harness import BARE_ONLY, COMMAND, check
from serving import (SERVER, Back, ask_all, await_spans, context_of,
                     headers_of, number_of)

CLIENT = 3
CERTAIN = ("header", "thread")
ALONE, CROWD, AT_ONCE = (10000, 10000, 50) if harness.LONG else (100, 300, 50)


def up_to_three(number):
    return 1 + number % 3


def served_by_id(spans, count):
    """One span a request, below the context that it came with."""
    found, numbers = {}, set()
    for span in spans:
        if span["kind"] != SERVER:
            continue
        number = number_of(span)
        check("00-%s-%s-01" % (span["traceId"], span["parentSpanId"]) ==
              context_of(number), "%d: %s", number, span)
        check(span["attributes"]["http.response.status_code"] == 200, "%s",
              span)
        check(number not in numbers, "%d twice", number)
        numbers.add(number)
        found[span["spanId"]] = number
    check(len(found) == count, "%d served spans of %d", len(found), count)
    return found


def verdicts(spans, served, first, end):
    """(rule, right|none|wrong) of the calls of requests first..end-1."""
    counts = collections.Counter()
    for span in spans:
        if span["kind"] != CLIENT or not first <= number_of(span) < end:
            continue
        rule = span["attributes"].get("autotrace.parent", "")
        parent = served.get(span["parentSpanId"])
        counts[rule, "none" if parent is None else "right"
               if parent == number_of(span) else "wrong"] += 1
    return counts


def total(counts, verdict):
    return sum(n for (_, seen), n in counts.items() if seen == verdict)


def line(counts):
    """12 right, 3 none, 0 wrong (thread 10/0, sole 2/0)"""
    rules = sorted({rule for rule, verdict in counts if verdict != "none"})
    return "%d right, %d none, %d wrong%s" % (
        *(total(counts, verdict) for verdict in ("right", "none", "wrong")),
        " (%s)" % ", ".join("%s %d/%d" % (
            rule, counts[rule, "right"], counts[rule, "wrong"])
            for rule in rules) if rules else "")


class Table:
    def __init__(self, name):
        self.suite = harness.Suite(name)
        self.back = Back()
        self.suite.cleanup(self.back.close)

    def add(self, name, make, blocking=True, background=False,
            calls=up_to_three, env=None):
        """make(port, home) -> argv; background: it calls when it has answered,
        so that nothing promises a parent; calls(N): how many N asks for."""
        self.suite.add(name, self._run, name, make, blocking, background,
                       calls, env or {})

    def _run(self, name, make, blocking, background, calls, env):
        path = self.suite.runner.path(name + ".jsonl")
        traced = [COMMAND, "run", "-q", "--file", path, "--"]
        self.back.heard.clear()
        server = Daemon(
            self.suite.runner, name, lambda port, home: [
                *([] if BARE_ONLY else traced), *make(port, home)],
            {"OTEL_BSP_SCHEDULE_DELAY": "100", "BACK": self.back.url, **env})
        count = ALONE + CROWD
        called = sum(calls(number) for number in range(count))
        try:
            ask_all(server.port, range(ALONE), 1, headers_of)
            ask_all(server.port, range(ALONE, count), AT_ONCE, headers_of)
            if not BARE_ONLY:
                await_spans(path, count)
                await_spans(path, called, CLIENT)
        finally:
            server.close()
        check(len(self.back.heard) == called, "%d calls of %d",
              len(self.back.heard), called)
        if BARE_ONLY:
            return
        spans = otlp_decode.spans_of_file(path)
        served = served_by_id(spans, count)
        alone = verdicts(spans, served, 0, ALONE)
        crowd = verdicts(spans, served, ALONE, count)
        self.suite.note("%-16s 1: %s", name, line(alone))
        self.suite.note("%-16s %d: %s", "", AT_ONCE, line(crowd))
        self._check_told(spans, called)
        self._check_counts(alone, crowd, blocking, background)

    def _check_told(self, spans, called):
        """What each call was told is its span."""
        told = {(number, context[:53]) for number, context in self.back.heard}
        seen = {(number_of(span), "00-%s-%s-" % (span["traceId"],
                                                 span["spanId"])[:53])
                for span in spans if span["kind"] == CLIENT}
        check(len(seen) == called and told == seen, "%d spans, %d told, %s",
              len(seen), len(told), sorted(told ^ seen)[:4])

    @staticmethod
    def _check_counts(alone, crowd, blocking, background):
        both = alone + crowd
        for (rule, verdict), n in both.items():
            # A guess gives itself away in the first few, however many come.
            most = 0 if rule in CERTAIN else max(
                10 if background else 1, sum(both.values()) // 1000)
            check(verdict != "wrong" or n <= most, "%s: %d wrong", rule, n)
        if not background:
            check(total(alone, "right") >= 0.99 * sum(alone.values()),
                  "alone: %s", line(alone))
        if blocking:
            check(total(crowd, "right") >= 0.999 * sum(crowd.values()),
                  "%d at once: %s", AT_ONCE, line(crowd))
