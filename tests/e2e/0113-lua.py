#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""LuaSocket: the request line is a send of its own."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from coverage import LEAVES_AT_HINTS, STANDARD, HttpSuite, sort_headers
from harness import PROGRAMS

suite = HttpSuite("lua")
SCENARIOS = [s for s in STANDARD
             if s not in ("expect", "parallel", "keepalive")]
suite.program(["lua5.4", os.path.join(PROGRAMS, "client.lua")], SCENARIOS,
              # The request line leaves in a call of its own.
              resets={"in_pieces": True},
              **{s: dict(LEAVES_AT_HINTS if s == "hints" else {},
                         normalise_head=sort_headers) for s in SCENARIOS})
sys.exit(suite.main())
