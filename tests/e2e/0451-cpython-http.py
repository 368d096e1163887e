#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 400
"""CPython's own tests of its HTTP clients and servers."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from upstream import Modules

suite = Modules("cpython-http", "cpython.list")
suite.module("test.test_xmlrpc", http=True)
suite.module("test.test_httplib", http=True)
suite.module("test.test_httpservers", http=True, user="nobody")
suite.module("test.test_urllib2_localnet", http=True)
suite.module("test.test_docxmlrpc", http=True)
suite.module("test.test_urllib")
suite.module("test.test_urllib2")
suite.module("test.test_robotparser", http=True)
suite.module("test.test_wsgiref")

if __name__ == "__main__":
    sys.exit(suite.main())
