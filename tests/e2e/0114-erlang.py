#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""erlang's httpc: writev with an empty first piece."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from coverage import STANDARD, HttpSuite
from harness import PROGRAMS

suite = HttpSuite("erlang")
suite.program(["escript", os.path.join(PROGRAMS, "client.escript")],
              # It has a fixed list of methods.
              [s for s in STANDARD if s != "propfind"])
sys.exit(suite.main())
