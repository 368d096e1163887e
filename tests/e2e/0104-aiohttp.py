#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""python3 aiohttp: asyncio, many connections on one thread."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import STANDARD, HttpSuite
from harness import PROGRAMS

suite = HttpSuite("aiohttp")
suite.program(["/usr/bin/python3",
               os.path.join(PROGRAMS, "client_aiohttp.py")], STANDARD)
sys.exit(suite.main())
