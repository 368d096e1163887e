#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""CPython's own tests of TLS: sessions on sockets, in memory and in loops."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from upstream import Modules

suite = Modules("cpython-tls", "cpython.list")
suite.module("test.test_ssl", http=True)
suite.module("test.test_asyncio.test_ssl")
suite.module("test.test_asyncio.test_sslproto")

if __name__ == "__main__":
    sys.exit(suite.main())
