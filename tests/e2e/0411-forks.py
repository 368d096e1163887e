#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""Many forks while the exporter is busy: no child hangs, no span comes twice
or from the wrong process; a program that counts its threads finds its own."""
import collections
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from coverage import HttpSuite
from harness import BARE_ONLY, check
from otlp_receiver import OtlpReceiver
from spancheck import check_spans, client_spans

FORKS = 1000 if harness.LONG else 120
ROUNDS = 40
suite = HttpSuite("forks")
PORT = str(suite.server.port)


def program(name, *arguments):
    return [os.path.join(harness.BUILD, "programs", name), *arguments]


def counted(path):
    """What the processes say that they have lost, by reason."""
    lost = collections.Counter()
    if os.path.exists(path):
        with open(path) as file:
            for line in file:
                match = re.match(r"autotrace\[\d+\]: (\d+) (spans .*)", line)
                if match:
                    lost[match[2]] += int(match[1])
    return lost


def check_processes(spans):
    """Every process names itself, and only its own requests."""
    names = collections.defaultdict(set)
    for span in spans:
        who = re.search(r"who=(\w+)", span["attributes"]["url.full"])[1]
        names[who].add(span["resource"]["service.instance.id"])
    check(all(len(ids) == 1 for ids in names.values()), "%s",
          {who: ids for who, ids in names.items() if len(ids) > 1})
    check(len(set.union(*names.values())) == len(names), "shared: %d of %d",
          len(set.union(*names.values())), len(names))


def storm(threads, forks):
    log = suite.runner.path("log%d" % threads)
    with OtlpReceiver() as receiver:
        env = dict(receiver.environment(), OTEL_BSP_SCHEDULE_DELAY="1",
                   AUTOTRACE_LOG=log)
        result, records = suite.once(
            program("life_forks", PORT, str(forks), str(threads)), True,
            span_file=False, env=env, timeout_s=500)
        result.expect_status(0)
        check(result.out == b"0 children ended badly\n", "%r", result.out)
        children = sum("who=child" in r["target"] for r in records)
        check(children == forks, "%d children", children)
        if BARE_ONLY:
            return
        check(not receiver.errors, "%s", receiver.errors[:3])
        spans = client_spans(receiver.spans())
    ids = collections.Counter(span["spanId"] for span in spans)
    check(max(ids.values()) == 1, "spans that came twice: %s",
          [i for i in ids.items() if i[1] > 1][:5])
    lost = counted(log)
    check(len(spans) + sum(lost.values()) == len(records),
          "%d requests, %d spans, lost by their own count: %s", len(records),
          len(spans), dict(lost))
    check_processes(spans)
    if not lost:
        check_spans(records, spans)
    suite.note("%d forks by %d threads: %d requests, %d spans in %d posts, "
               "%.1f s, lost: %s", forks, threads, len(records), len(spans),
               len(receiver.posts), result.seconds, dict(lost))


suite.add("storm", storm, 1, FORKS)
suite.add("storm-of-three-threads", storm, 3, FORKS)


@suite.case("counts-its-threads")
def counts():
    """Python 3.12 warns on stderr when it forks with a second thread. (A
    thread that is kept from the processor is not gone in time.)"""
    argv = program("life_count", "count", PORT, str(ROUNDS))
    for most, traced in ((0, False), (ROUNDS // 10, True)):
        result, records = suite.once(argv, traced,
                                     env={"OTEL_BSP_SCHEDULE_DELAY": "1"})
        result.expect_status(0)
        seen = dict(line.split(": ") for line in result.out.decode().split(
            "\n") if line)
        check(len(seen) == 5, "%s", seen)
        check(all(int(n) <= most for n in seen.values()), "%s", seen)
        if result.traced:
            check_spans(records, result.spans())


@suite.case("what-waited-at-the-fork-is-sent")
def leaves():
    """The parent makes no further request and does not end."""
    if BARE_ONLY:
        return
    with OtlpReceiver() as receiver:
        env = dict(receiver.environment(), OTEL_BSP_SCHEDULE_DELAY="200",
                   LD_PRELOAD=harness.LIBRARY)
        process = suite.runner.start(program("life_count", "leaves", PORT),
                                     env=env)
        try:
            spans = receiver.wait_spans(1)
            check(len(spans) == 1, "%d spans", len(spans))
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()


sys.exit(suite.main())
