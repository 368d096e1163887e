#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Pieces, pipelines, moves, upgrades, proxies and early answers, to the byte."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from byte_server import OK, ByteSuite, answer_all
from harness import PROGRAMS

suite = ByteSuite("conversations")


def talk(how, spans, **options):
    suite.bytes(how, ["/usr/bin/python3",
                      os.path.join(PROGRAMS, "conversations.py"), "AUTHORITY",
                      how], spans, **options)


def status(code, body=b"hi"):
    return b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%s" % (
        code, len(body), body)


# ---- pieces -----------------------------------------------------------------

talk("corked", ["POST 1 200", "GET 2 200"])
talk("one_writev", ["POST 1 200", "POST 2 200"])
talk("four_in_one_write", ["GET %d 200" % i for i in range(4)])
# Beyond 32 unanswered a connection is given up; what was before is answered.
talk("forty_in_one_write", ["GET %d 200" % i for i in range(32)],
     lost={"requests.pipeline_full": 1})


def answers_ahead(connection):
    """Three answers in one write, before the third request has ended."""
    for _ in range(2):
        connection.request()
    connection.until()
    connection.send(OK + status(404) + OK)
    connection.read(5)
    answer_all(connection)


talk("answered_ahead", ["GET 1 200", "GET 2 404", "POST 3 200", "GET 4 200"],
     script=answers_ahead)

# ---- moves ------------------------------------------------------------------

# Nobody saw how it began: what follows is left alone.
talk("sendfile_first", [])
talk("splice_first", [])
talk("splice_body", ["POST 1 200", "GET 2 200"])
talk("splice_answer", ["GET 1 incomplete"],
     lost={"connections.opaque_bypassed": 1})
talk("splice_answers_body", ["GET 1 200", "GET 2 200"])

# ---- other protocols --------------------------------------------------------

FRAME = b"\x81\x1eGET / HTTP/1.1\r\nHost: x\r\n\r\n"


def web_socket(connection):
    connection.until()
    connection.send(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\n\r\n\x81\x02hi")
    for _ in range(3):
        connection.read(len(FRAME))
        connection.send(FRAME)


talk("web_socket", ["GET 1 101"], script=web_socket)


def h2c_accepted(connection):
    connection.until()
    connection.send(b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\n"
                    b"Upgrade: h2c\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
    connection.until(b"SM\r\n\r\n")
    connection.send(b"\0\0\0\4\1\0\0\0\0")


talk("h2c_accepted", ["GET 1 101"], script=h2c_accepted)
talk("h2c_refused", ["GET 1 200", "GET 2 200"])


def proxy(connection):
    connection.until()
    connection.send(status(407, b"who?"))
    connection.until()
    connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    connection.read(5 + 200)
    connection.send(b"\x16\x03\x03\0\1x")


talk("tunnel", ["CONNECT  407 connect", "CONNECT  200 connect"],
     script=proxy)
# The authority decides, not where the proxy is.
talk("absolute", ["GET 1 200", "GET 2 200 foreign_host", "GET 3 200"])
# Not seen: the first bytes are no request.
talk("behind_socks", [], script=lambda c: (
    c.read(3), c.send(b"\5\0"), c.read(10),
    c.send(b"\5\0\0\1\x7f\0\0\1\0\x50"), answer_all(c)))
talk("behind_proxy_line", [])
talk("behind_proxy_line_in_one_write", [])

# ---- answers before their time ----------------------------------------------


def too_large(connection):
    connection.until()
    connection.send(status(413))
    connection.read(5)
    answer_all(connection)


talk("early_answer_then_reused", ["POST 1 413", "GET 2 200"],
     script=too_large)


def too_large_and_closed(connection):
    connection.until()
    connection.send(status(413))
    connection.sock.shutdown(1)


talk("early_answer_then_closed", ["POST 1 413", "GET 2 200"],
     script=lambda c: too_large_and_closed(c) if not c.number
     else answer_all(c))


def expectation_refused(connection):
    connection.until()
    connection.send(status(417))
    answer_all(connection)


talk("expectation_refused", ["POST 1 417", "GET 2 200"],
     script=expectation_refused)


def hints(connection):
    while connection.request():
        connection.send(b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" + OK)


talk("hints", ["GET 1 200", "GET 2 200"], script=hints)


def errors(connection):
    for code in (500, 404, 200):
        connection.request()
        connection.send(status(code))


talk("errors", ["GET 1 500", "GET 2 404", "GET 3 200"], script=errors)


def slow(connection):
    connection.request()
    connection.request()
    connection.send(OK + OK)


talk("reused_after_a_timeout", ["GET 1 200", "GET 2 200"], script=slow)

sys.exit(suite.main())
