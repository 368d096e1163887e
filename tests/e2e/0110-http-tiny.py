#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""perl's HTTP::Tiny: head and body in two writes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from coverage import STANDARD, HttpSuite
from harness import PROGRAMS

suite = HttpSuite("http-tiny")
SCENARIOS = [s for s in STANDARD if s not in ("parallel", "expect")]
# The order of a hash's keys is another in every process unless told.
STEADY = {"env": {"PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"}}
suite.program(["perl", os.path.join(PROGRAMS, "client_tiny.pl")], SCENARIOS,
              **{s: STEADY for s in SCENARIOS})

sys.exit(suite.main())
