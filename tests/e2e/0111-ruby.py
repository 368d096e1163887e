#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""ruby's net/http: send with MSG_DONTWAIT."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from coverage import STANDARD, HttpSuite
from harness import PROGRAMS

suite = HttpSuite("ruby")
suite.program(["ruby", os.path.join(PROGRAMS, "client.rb")], STANDARD)
sys.exit(suite.main())
