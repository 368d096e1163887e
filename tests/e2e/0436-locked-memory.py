#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""mlockall() under a small limit: what we cannot have we do without."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from harness import BARE_ONLY, BUILD, Suite, check, compare_results

suite = Suite("locked-memory")
suite.runner.let_others_in()
PROGRAM = os.path.join(BUILD, "programs", "locked")


def reachable():
    """Nobody must be able to load what is tested."""
    path = BUILD
    while path != "/":
        if not os.stat(path).st_mode & 0o001:
            return False
        path = os.path.dirname(path)
    return True


def run(when, count):
    user = "nobody" if os.geteuid() == 0 else None
    argv = [PROGRAM, when]
    bare = suite.runner.run(argv, user=user).expect_status(6)
    check(b"mlockall: done" in bare.out, "%r", bare.out)
    spans = suite.runner.write("spans.jsonl", "")
    log = suite.runner.write("log", "")
    os.chmod(spans, 0o666)
    os.chmod(log, 0o666)
    traced = suite.runner.run(argv, traced=True, user=user, span_file=False,
                              env={"AUTOTRACE_FILE": spans,
                                   "AUTOTRACE_LOG": log})
    compare_results(bare, traced)
    if BARE_ONLY:
        return
    traced.span_file = spans
    with open(log) as file:
        text = file.read()
    found = len(traced.spans())
    lost = sum(int(n) for n in re.findall(r"(\d+) (?:spans|requests|"
                                          r"connections)", text))
    suite.note("%s: %d spans, %d counted as lost", when, found, lost)
    check(found + lost >= count, "%d spans of %d\n%s", found, count, text)


if not reachable():
    suite.note("the build is not reachable for nobody: not run")
    suite.case("nothing")(lambda: None)
else:
    suite.add("before-the-first-request", run, "before", 200)
    suite.add("after-the-first-request", run, "after", 201)

sys.exit(suite.main())
