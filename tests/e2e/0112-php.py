#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""php's file_get_contents: head and body in one call, peeks before it reads."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from coverage import STANDARD, HttpSuite
from harness import PROGRAMS

suite = HttpSuite("php")
# A connection a request, a body is always whole, nothing runs in parallel.
suite.program(["php", os.path.join(PROGRAMS, "client.php")],
              [s for s in STANDARD
               if s not in ("upload", "expect", "parallel", "keepalive")])
sys.exit(suite.main())
