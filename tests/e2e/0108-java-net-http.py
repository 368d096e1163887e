#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""java.net.http: writev, non-blocking, reader and writer on other threads."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

import subprocess

from coverage import STANDARD, HttpSuite
from harness import PROGRAMS

JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
suite = HttpSuite("java-net-http")
subprocess.run(["javac", "-d", suite.runner.home,
                os.path.join(PROGRAMS, "JavaNetHttp.java")], check=True)
suite.program(JAVA + ["-cp", suite.runner.home, "JavaNetHttp"], STANDARD)
sys.exit(suite.main())
