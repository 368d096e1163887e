#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""HTTP by unusual system calls, descriptors, threads and processes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import UPLOAD_BYTES, HttpSuite, upload, want
from harness import PROGRAMS

suite = HttpSuite("odd-clients")
body = suite.runner.write("upload", upload())


def odd(how, wanted, **options):
    suite.http(how, ["/usr/bin/python3", os.path.join(PROGRAMS, "odd.py"),
                     suite.server.authority, how, body], wanted, **options)


def numbered(count, text="/ok?i=%d"):
    return [want("GET", text % i, 200) for i in range(count)]


post = want("POST", "/ok", 200, UPLOAD_BYTES)
odd("sendfile", [post] * 2)
odd("splice", [post] * 2)
# Nobody sees what is spliced: a request whose answer is not known.
odd("splice_in", [want("GET", "/big?bytes=50000", 200)],
    expected=lambda _: {"http.response.status_code": None,
                        "autotrace.incomplete": True})
odd("duplicates", numbered(6) + [want("GET", "/ok?i=last", 200)])
odd("more", [want("POST", "/ok", 200, 5)] * 3)
odd("peeks", [want("GET", "/big?bytes=%d" % (3000 * i), 200)
              for i in range(3)])
odd("discards", [want("GET", "/big?bytes=20000", 200)] * 3)
odd("vectors", [want("GET", "/big?bytes=9000", 200)] * 4)
odd("byte_by_byte", [want("GET", "/ok", 200)] * 2)
odd("fast_open", [want("GET", "/ok", 200)])
odd("half_close", [want("GET", "/ok", 200)])
odd("inherited", [want("GET", "/ok", 200)])
odd("passed", [want("GET", "/ok?who=child", 200)])
odd("reused_numbers", numbered(8))
odd("two_threads", numbered(300))
odd("split_between_threads", numbered(20))
odd("alternate_forks", [want("GET", "/ok?c=%d&i=%d" % (c, i), 200)
                        for c in range(20) for i in range(10)],
    ordered=False)
odd("many_connections", numbered(800), ordered=False)

sys.exit(suite.main())
