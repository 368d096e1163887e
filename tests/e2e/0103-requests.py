#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""python3 requests (urllib3)."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import LEAVES_AT_HINTS, STANDARD, HttpSuite
from harness import PROGRAMS

suite = HttpSuite("requests")
suite.program(["/usr/bin/python3",
               os.path.join(PROGRAMS, "client_requests.py")], STANDARD,
              hints=LEAVES_AT_HINTS)
sys.exit(suite.main())
