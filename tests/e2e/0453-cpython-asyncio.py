#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 400
"""CPython's own tests of asyncio."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from upstream import Modules

suite = Modules("cpython-asyncio", "cpython.list")
suite.module("test.test_asyncio.test_sock_lowlevel", http=True)
suite.module("test.test_asyncio.test_subprocess")
suite.module("test.test_asyncio.test_streams", http=True)
suite.module("test.test_asyncio.test_selector_events")
suite.module("test.test_asyncio.test_sendfile")
suite.module("test.test_asyncio.test_server")
suite.module("test.test_asyncio.test_base_events")
suite.module("test.test_asyncio.test_unix_events")
suite.module("test.test_asyncio.test_events", long=True)

if __name__ == "__main__":
    sys.exit(suite.main())
