#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A session leaves nothing behind: as much memory after many as after few."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from harness import BUILD, LONG, Suite, check

suite = Suite("tls-sessions")
PROGRAM = os.path.join(BUILD, "programs", "cost_tls")
FEW, MANY = 10_000, 1_000_000 if LONG else 40_000


def resident_kib(count, traced):
    """After so many sessions, each with one request that had our header."""
    result = suite.runner.run([PROGRAM, "sessions", str(count)],
                              traced=traced, span_file=False,
                              env={"AUTOTRACE_FILE": "/dev/null"},
                              timeout_s=900)
    result.expect_status(0)
    _, _, kib, seen = map(int, result.out.split())
    check(seen == (count if result.traced else 0), "%d of %d traced", seen,
          count)
    return kib


@suite.case("flat")
def flat():
    bare = resident_kib(MANY, False) - resident_kib(FEW, False)
    few, many = resident_kib(FEW, True), resident_kib(MANY, True)
    suite.note("resident after %d sessions %d KiB, after %d %d KiB; bare "
               "grows by %d KiB", FEW, few, MANY, many, bare)
    check(many - few < bare + 512, "grew from %d to %d KiB", few, many)


sys.exit(suite.main())
