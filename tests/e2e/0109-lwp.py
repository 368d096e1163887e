#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""perl's LWP: head and body in one write."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from coverage import LEAVES_AT_HINTS, STANDARD, HttpSuite
from harness import PROGRAMS

suite = HttpSuite("lwp")
SCENARIOS = [s for s in STANDARD if s != "parallel"]
# The order of a hash's keys is another in every process unless told.
STEADY = {"env": {"PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"}}
suite.program(["perl", os.path.join(PROGRAMS, "client_lwp.pl")], SCENARIOS,
              **{s: dict(LEAVES_AT_HINTS, **STEADY) if s == "hints" else STEADY
                 for s in SCENARIOS})

sys.exit(suite.main())
