#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""HTTP by calls that few programs make, to the byte; what is lost by them."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from byte_server import OK, ByteSuite
from harness import BUILD

suite = ByteSuite("unusual-calls")
PROGRAM = os.path.join(BUILD, "programs", "awkward")


def way(how, spans, **options):
    suite.bytes(how, [PROGRAM, "AUTHORITY", how], spans, **options)


# Sent without a look: only the request is not edited.
way("zerocopy", ["POST 1 200", "GET 2 200 unsafe_io", "GET 3 200"],
    lost={"headers.unsafe": 1})
way("many", ["GET 1 200", "GET 2 200", "POST 3 200", "GET 4 200"])



way("many-cut-short", ["POST 1 None"], script=lambda c: c.until(),
    compare=lambda received: [r[:r.index(b"\r\n\r\n")] for r in received])
way("positioned", ["GET 1 200", "GET 1 200 unsafe_io"],
    lost={"headers.unsafe": 1})
# libc's stdio writes unseen. Within a body that is followed; a request is not,
# and what comes behind it might be anything.
way("printed", ["POST 1 200", "GET 2 200"],
    lost={"connections.opaque_bypassed": 1})
way("empty", ["GET 1 200"])
way("wild", ["GET 1 200"])
way("absurd", ["GET 1 200"])
way("scattered", ["GET 1 200"])
way("toggled", ["GET 1 200"])
way("ways-to-read", ["GET 1 200", "GET 2 200", "GET 3 200",
                     "GET 4 incomplete"],
    lost={"connections.opaque_bypassed": 1})
way("ways-to-end", ["GET 1 200", "GET 2 200"])


def half_closes(connection):
    connection.request()
    connection.send(OK)
    connection.sock.shutdown(1)
    connection.rest()


def resets_in_head(connection):
    connection.request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    connection.sock.settimeout(0.3)
    connection.reset()


def resets(connection):
    connection.request()
    connection.reset()


way("reset-in-head", [], script=lambda c: (c.read(10), c.reset()))


def ended(name, script, spans, **options):
    suite.bytes("server-" + name, [PROGRAM, "AUTHORITY", "ended-by-server"],
                spans, script=script, **options)


# The half-close is known by then: the second request is none of ours.
ended("half-closes", half_closes, ["GET 1 200"])
ended("resets", resets, ["GET 1 connection_reset"])
ended("resets-in-head", resets_in_head, ["GET 1 connection_reset"])

sys.exit(suite.main())
