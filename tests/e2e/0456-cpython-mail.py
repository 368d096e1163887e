#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 400
"""CPython's own tests of FTP, mail and news clients."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from upstream import Modules

suite = Modules("cpython-mail", "cpython.list")
suite.module("test.test_imaplib")
suite.module("test.test_ftplib")
suite.module("test.test_poplib")
suite.module("test.test_smtplib")
suite.module("test.test_nntplib")
suite.module("test.test_telnetlib")

if __name__ == "__main__":
    sys.exit(suite.main())
