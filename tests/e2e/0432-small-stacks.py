#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Threads with the smallest stacks there are, and what we take of them."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from harness import BARE_ONLY, BUILD, Suite, check, compare_results

suite = Suite("small-stacks")
PROGRAM = os.path.join(BUILD, "programs", "stack")
# Bytes of stack that a call may reach farther down than it does bare. The
# smallest stack is 16 KiB, of which libc takes three for itself.
BUDGET = 3800
# The loader's own frames are not what is measured.
NOW = {"LD_BIND_NOW": "1"}


@suite.case("smallest")
def smallest():
    argv = [PROGRAM, "small"]
    bare = suite.runner.run(argv).expect_status(0)
    traced = suite.runner.run(argv, traced=True)
    compare_results(bare, traced)
    if not BARE_ONLY:
        names = sorted(span["name"] for span in traced.spans())
        check(names == ["GET", "GET", "connect", "connect"], "%s", names)


def depths(**options):
    result = suite.runner.run([PROGRAM, "measure"], env=NOW, **options)
    result.expect_status(0)
    return {name: int(depth) for name, depth in
            (line.split() for line in result.out.decode().splitlines())}


@suite.case("budget")
def budget():
    bare = depths()
    traced = depths(traced=True)
    more = {name: traced[name] - bare[name] for name in bare}
    suite.note("bytes of stack more than bare: %s", ", ".join(
        "%s %d" % item for item in more.items()))
    for name, bytes_more in more.items():
        check(bytes_more <= BUDGET, "%s takes %d bytes of stack more than "
              "bare, the budget is %d", name, bytes_more, BUDGET)


@suite.case("budget-under-autotrace-run")
def budget_under_hub():
    """There the first span joins the hub."""
    if BARE_ONLY:
        return
    bare = depths()
    result = suite.runner.autotrace_run([PROGRAM, "measure"], ["--quiet"],
                                        env=NOW)
    result.expect_status(0)
    for line in result.out.decode().splitlines():
        name, depth = line.split()
        check(int(depth) - bare[name] <= BUDGET, "%s takes %s bytes, %d bare",
              name, depth, bare[name])


sys.exit(suite.main())
