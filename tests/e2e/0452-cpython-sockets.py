#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 400
"""CPython's own tests of sockets and of waiting for them."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from upstream import Modules

suite = Modules("cpython-sockets", "cpython.list")
suite.module("test.test_socket")
suite.module("test.test_selectors")
suite.module("test.test_poll")
suite.module("test.test_select")
suite.module("test.test_epoll")
suite.module("test.test_socketserver", resources=["network"])
suite.module("test.test_asyncore")
suite.module("test.test_asynchat")

if __name__ == "__main__":
    sys.exit(suite.main())
