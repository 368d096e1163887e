#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""java's HttpURLConnection: blocking write and read by libnio."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import subprocess

from coverage import STANDARD, HttpSuite
from harness import PROGRAMS

JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
suite = HttpSuite("java-url")
subprocess.run(["javac", "-d", suite.runner.home,
                os.path.join(PROGRAMS, "HttpUrl.java")], check=True)
suite.program(JAVA + ["-cp", suite.runner.home, "HttpUrl"],
              # It has a fixed list of methods, and hangs on a 103.
              [s for s in STANDARD
               if s not in ("patch", "propfind", "hints")])
sys.exit(suite.main())
