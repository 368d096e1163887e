#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Numbers that are many, high, or change their meaning; shared connections."""
import os
import resource
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from byte_server import ByteSuite
from harness import BUILD, PROGRAMS

suite = ByteSuite("descriptors")


def number(how, spans, **options):
    suite.bytes(how, [os.path.join(BUILD, "programs", "awkward_numbers"),
                      "AUTHORITY", how], spans, **options)


def shared(how, spans, **options):
    suite.bytes(how, ["/usr/bin/python3", os.path.join(PROGRAMS, "shared.py"),
                      "AUTHORITY", how], spans, **options)


# Closed by a system call that nobody sees. A number that becomes something
# else is a bystander from its first bytes on, its requests too.
number("reused", ["GET 1 200", "GET 2 200"])
number("unanswered-then-reused", ["GET 1 None", "GET 2 200"],
       lost={"connections.opaque_bypassed": 1})
number("reused-in-head", ["GET 4 200"],
       lost={"connections.opaque_bypassed": 2})
number("reused-in-body", ["POST 1 None"],
       lost={"connections.opaque_bypassed": 1})
try:
    resource.setrlimit(resource.RLIMIT_NOFILE, (200000, 200000))
    number("high", ["GET 2 200"], lost={"connections.fd_too_high": 2})
except (ValueError, OSError):
    suite.note("not allowed to have 200,000 descriptors: high numbers were "
               "not tried")

shared("threads", ["GET %d 200" % i for i in range(40)])
shared("processes", ["GET %d 200" % i for i in range(20)])
shared("passed_and_back", ["GET %d 200" % i for i in range(6)])
# What was under way at a fork is the parent's; the child may finish it, unseen.
shared("head_finished_by_child", ["GET 1 200"],
       lost={"connections.opaque_shared": 1})
shared("head_finished_by_parent", ["GET 1 200", "GET 2 200"])
shared("body_finished_by_child", ["POST 1 None", "GET 2 200"],
       lost={"connections.opaque_shared": 1})

sys.exit(suite.main())
