#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Programs with somebody else's allocator, or a sanitizer, beside us."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite
from harness import BARE_ONLY, BUILD, LIBRARY, ROOT, check, compare_results

suite = HttpSuite("company2")
SOURCE = os.path.join(ROOT, "tests", "programs", "churn.c")
PLAIN = os.path.join(BUILD, "programs", "churn")
REQUESTS = 100
BUSY = {"OTEL_BSP_SCHEDULE_DELAY": "5"}
PORT = str(suite.server.port)


def spans_of(result):
    if BARE_ONLY:
        return
    count = len(result.spans())
    check(count == REQUESTS, "%d spans", count)


def allocator(preload):
    def with_us(*order):
        return {"LD_PRELOAD": ":".join(order), **BUSY}
    argv = [PLAIN, PORT]
    bare = suite.runner.run(argv, env=with_us(preload)).expect_status(5)
    for order in ((preload, LIBRARY), (LIBRARY, preload)):
        if BARE_ONLY:
            order = (preload,)
        traced = suite.runner.run(argv, traced=True, env=with_us(*order))
        compare_results(bare, traced)
        spans_of(traced)


for name in ("libjemalloc.so.2", "libtcmalloc_minimal.so.4"):
    suite.add(name, allocator, name)


def build(compiler, *flags):
    path = suite.runner.path("churn-" + "".join((compiler, *flags)))
    subprocess.run([compiler, "-g", "-O1", *flags, "-pthread", "-D_GNU_SOURCE",
                    "-o", path, SOURCE], check=True)
    return path



def sanitized(first, compiler, *flags):
    """first: the runtime that wants to be first in LD_PRELOAD, or none."""
    argv = [build(compiler, *flags), PORT]
    bare = suite.runner.run(argv).expect_status(5)
    preload = {} if BARE_ONLY else {
        "LD_PRELOAD": ":".join(filter(None, (first, LIBRARY)))}
    traced = suite.runner.run(argv, traced=True, env={**BUSY, **preload})
    compare_results(bare, traced)
    spans_of(traced)
    if BARE_ONLY:
        return
    under_run(bare, argv)
    if "-fsanitize=address" in flags:
        argv.append("overflow")
        under_run(suite.runner.run(argv), argv, b"heap-buffer-overflow")


def under_run(bare, argv, words=b""):
    result = suite.runner.autotrace_run(argv, ["--quiet"])
    check(result.status == bare.status, "status %s, bare %s\n%s",
          result.status, bare.status, result.err.decode()[:2000])
    check(words in bare.err and words in result.err, "%r", result.err)
    check(result.out == bare.out, "%r", result.out)
    if not words:
        check(result.err == bare.err, "%r", result.err)
    count = [span["name"] for span in result.spans()].count("GET")
    check(count == REQUESTS, "%d spans under autotrace run", count)


suite.add("gcc-asan", sanitized, "libasan.so.8", "gcc", "-fsanitize=address")
suite.add("gcc-tsan", sanitized, None, "gcc", "-fsanitize=thread")
suite.add("gcc-ubsan", sanitized, None, "gcc", "-fsanitize=undefined")
suite.add("gcc-lsan", sanitized, None, "gcc", "-fsanitize=leak")
suite.add("clang-asan", sanitized, None, "clang", "-fsanitize=address")
suite.add("clang-tsan", sanitized, None, "clang", "-fsanitize=thread")


@suite.case("asan-options-of-the-user")
def own_options():
    """They stay in force, and only programs that need it get ours."""
    if BARE_ONLY:
        return
    argv = [build("gcc", "-fsanitize=address"), PORT, "overflow"]
    options = {"ASAN_OPTIONS": "exitcode=77"}
    result = suite.runner.autotrace_run(argv, ["--quiet"], env=options)
    check(result.status == 77, "%s", result.status)
    show = ["sh", "-c", 'echo "${ASAN_OPTIONS-unset}"']
    result = suite.runner.autotrace_run(show, ["--quiet"])
    check(result.out == b"unset\n", "%r", result.out)


sys.exit(suite.main())
