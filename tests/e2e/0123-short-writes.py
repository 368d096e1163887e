#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""A head that leaves in pieces of the kernel's choosing.

Small send buffer, slow reader, pipelined requests with heads of up to 3 KB:
calls are cut short in the middle of heads, of our header, and between them.
The server must see the bare program's bytes plus one line for each request,
and the program must hear of its own bytes only.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from coverage import HttpSuite, want
from harness import PROGRAMS

COUNT = 4000 if harness.LONG else 150
suite = HttpSuite("short-writes", rcvbuf=2048, read_step=1500,
                  read_pause_ms=1)


def body(number):
    return len(b"%d" % number * (number % 7 * 300))


CALLS = ("send", "write", "writev", "sendmsg", "sendto")
# The kernel may take nothing but bytes of ours: EAGAIN to who then waits for
# POLLOUT, once, and must hear of it.
WAYS = [(how, call) for how in ("nonblocking", "timeout", "signals")
        for call in CALLS] + [("poll", "send"), ("edge", "write"),
                              ("edge", "sendmsg")]
for how, call in WAYS:
    suite.http("%s-%s" % (how, call),
               ["/usr/bin/python3", os.path.join(PROGRAMS, "short_writes.py"),
                suite.server.authority, call, how, str(COUNT)],
               [want("POST", "/ok?i=%d" % i, 200, body(i))
                for i in range(COUNT)], timeout_s=300)

sys.exit(suite.main())
