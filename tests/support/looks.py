# SPDX-License-Identifier: Apache-2.0
"""Programs that are none of our business: same results, no span, no look.

BystanderSuite.same() runs a command bare and traced and holds the results
against each other; looks() counts, with strace, the system calls by which a
library could find out what a descriptor is.
"""
import collections
import os
import re

import harness
from harness import BARE_ONLY, LIBRARY, check, compare_results

LOOKS = ("fstat", "newfstatat", "statx", "getsockopt", "getpeername",
         "getsockname", "ioctl", "fcntl")
CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)")


class BystanderSuite(harness.Suite):
    def same(self, name, argv, normalise=None, looks=True, status=0,
             extra_looks=0, **options):
        """Add a case: nothing of the command changes, and no span."""
        def run():
            bare = self.runner.run(argv, **options)
            if status is not None:
                bare.expect_status(status)
            traced = self.runner.run(argv, traced=True, **options)
            compare_results(bare, traced, normalise)
            check(traced.spans() == [], "spans %s", traced.spans())
            if looks and not BARE_ONLY:
                self.check_looks(argv, extra_looks, **options)
        self.add(name, run)

    def check_looks(self, argv, extra, **options):
        bare = self.looks(argv, False, **options)
        traced = self.looks(argv, True, **options)
        more = {call: traced[call] - bare[call]
                for call in traced if traced[call] > bare[call]}
        check(sum(more.values()) <= extra, "system calls more than bare: %s\n"
              "bare %s\ntraced %s", more, dict(bare), dict(traced))

    def looks(self, argv, traced, env=None, **options):
        """Counter of the calls in LOOKS, the loader's own left out.

        The lowest of three runs for each call: threads and timing may add.
        """
        lowest = None
        for _ in range(3):
            found = self._looks_once(argv, traced, env, **options)
            if lowest is None:
                lowest = found
            else:
                lowest = collections.Counter(
                    {c: min(lowest[c], found[c]) for c in lowest})
        return lowest

    def _looks_once(self, argv, traced, env, **options):
        path = self.runner.path("strace")
        strace = ["strace", "-f", "-qq", "-y", "-o", path, "-s", "64",
                  "-e", "trace=" + ",".join(LOOKS)]
        if traced:
            strace += ["-E", "LD_PRELOAD=" + LIBRARY, "-E",
                       "AUTOTRACE_FILE=" + self.runner.path("looks.jsonl")]
        self.runner.run(strace + list(argv), env=env, **options)
        return count_calls(path)


def count_calls(path):
    found = collections.Counter()
    with open(path, errors="replace") as file:
        for line in file:
            call = CALL.match(line)
            # The loader looks at the file that it maps.
            if call and os.path.basename(LIBRARY) not in line:
                found[call.group(1)] += 1
    return found
