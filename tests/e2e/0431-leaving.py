#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Threads that leave a call of ours without coming back.

Cancelled, thrown out by an exception, or gone by siglongjmp: the program runs
as bare, its other connections are followed on, and nothing is used up.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from harness import BARE_ONLY, BUILD, LONG, Suite, check, compare_results

suite = Suite("leaving")
# More than there is room for connections, or requests, at a time.
MANY = 27000 if LONG else 2700
JUMPS = 10000 if LONG else 1000


def program(name, *arguments):
    return [os.path.join(BUILD, "programs", name), *arguments]


def counted(text, phrase):
    found = re.search(r"(\d+) " + phrase, text)
    return int(found.group(1)) if found else 0


def run(argv, left, answered, early=0, status=0):
    """left: connections that must be given up; answered: spans with 200;
    early: an alarm may ring before its call has begun, so often at most."""
    bare = suite.runner.run(argv, timeout_s=100).expect_status(status)
    log = suite.runner.path("log")
    if os.path.exists(log):
        os.remove(log)
    traced = suite.runner.run(argv, traced=True, timeout_s=100, env={
        "AUTOTRACE_LOG": log, "OTEL_BSP_MAX_QUEUE_SIZE": "60000",
        "OTEL_BSP_SCHEDULE_DELAY": "100", "AUTOTRACE_EXIT_TIMEOUT": "20000"})
    compare_results(bare, traced)
    if BARE_ONLY:
        return
    text = ""
    if os.path.exists(log):
        with open(log) as file:
            text = file.read()
    check("too many" not in text and "no room" not in text, "%s", text)
    found = counted(text, "connections given up: a thread left")
    check(left - early <= found <= left, "%d given up, expected %d\n%s",
          found, left, text)
    count = sum(1 for span in traced.spans()
                if span["attributes"].get("http.response.status_code") == 200)
    dropped = counted(text, "spans dropped: the queue was full")
    check(count + dropped >= answered, "%d answered requests, expected %d\n%s",
          count, answered, text)
    suite.note("%s: %d answered, %d given up", " ".join(argv[1:]), count, found)


# Two of nine block in calls that no connection is followed through.
suite.add("cancelled", run, program("leave", "cancel", str(MANY)),
          MANY * 7 // 9, MANY + 1)
suite.add("cancelled-asynchronously", run, program("leave", "async", "900"),
          700, 901)
suite.add("jumped", run, program("leave", "jump", str(JUMPS)), JUMPS,
          JUMPS + 1, JUMPS // 10)
suite.add("thrown", run, program("throwing", "throw", "300"), 300, 300, 30)
suite.add("cancelled-in-c++", run, program("throwing", "cancel", "300"), 300,
          300)


def signals(restart):
    """The interrupted connection is in use twice at once: given up, and the
    handler's own is followed."""
    run(program("leave", "signals", "2000", restart), 0, 100)


suite.add("signals-restarted", signals, "1")
suite.add("signals-interrupted", signals, "0")

sys.exit(suite.main())
