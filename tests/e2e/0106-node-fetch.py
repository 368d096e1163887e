#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""node's fetch (undici)."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import STANDARD, HttpSuite
from harness import PROGRAMS

suite = HttpSuite("node-fetch")
# undici opens a second connection when it likes.
suite.program(["node", os.path.join(PROGRAMS, "client_fetch.mjs")],
              [s for s in STANDARD if s != "expect"],
              keepalive={"check_bare": None})
sys.exit(suite.main())
