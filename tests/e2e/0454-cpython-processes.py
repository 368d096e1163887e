#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 400
"""CPython's own tests of processes, signals and the rest of os."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from upstream import Modules

suite = Modules("cpython-processes", "cpython.list")
suite.module("test.test_subprocess")
suite.module("test.test_os")
suite.module("test.test_posix")
suite.module("test.test_fork1")
suite.module("test.test_wait3")
suite.module("test.test_wait4")
suite.module("test.test_popen")
suite.module("test.test_pty")
suite.module("test.test_fcntl")
suite.module("test.test_threadsignals")
suite.module("test.test_eintr")
suite.module("test.test_signal", long=True)

if __name__ == "__main__":
    sys.exit(suite.main())
