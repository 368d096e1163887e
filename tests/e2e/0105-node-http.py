#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""node's http module: write, writev as soon as there is a body."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import STANDARD, HttpSuite
from harness import PROGRAMS

suite = HttpSuite("node-http")
suite.program(["node", os.path.join(PROGRAMS, "client_http.js")], STANDARD)
sys.exit(suite.main())
