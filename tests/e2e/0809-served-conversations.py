#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Odd conversations with a server, bare and traced, to the byte; and hops.

What the server has read and what the client has got are equal but for the
parent's id in each traceparent, which is that of the request's own span.
"""
import os
import re
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
import otlp_decode
from daemons import Daemon
from harness import BARE_ONLY, COMMAND, PROGRAMS, check, differ
from serving import (SERVER, Back, ask_all, await_spans, headers_of,
                     number_of)

suite = harness.Suite("served-conversations")
CLIENT = 3
PARENT = re.compile(rb"(traceparent: 00-[0-9a-f]{32}-)([0-9a-f]{16})")
ENV = {"OTEL_BSP_SCHEDULE_DELAY": "100"}


def head(number, method=b"GET", path=b"/x", more=b"", version=b"1.1"):
    return (b"%s %s HTTP/%s\r\nHost: localhost\r\n"
            b"traceparent: 00-%032x-%016x-01\r\n%s\r\n"
            % (method, path, version, number, number, more))


def rest(sock):
    got = b""
    while piece := sock.recv(65536):
        got += piece
    return got


def until(sock, mark):
    got = b""
    while not got.endswith(mark):
        piece = sock.recv(1)
        check(piece, "closed after %r", got)
        got += piece
    return got


def lines_of(path):
    try:
        with open(path) as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def converse(name, talk, traced):
    """(what the client got, what the server got, spans)"""
    home = suite.runner.path("%s-%d" % (name, traced))
    spans, kept = home + ".jsonl", home + ".kept"
    run = [COMMAND, "run", "-q", "--file", spans, "--"]
    server = Daemon(suite.runner, home, lambda port, _: [
        *(run if traced else []), "/usr/bin/python3", "-B",
        os.path.join(PROGRAMS, "serve_bytes.py"), str(port), kept], ENV)
    try:
        with socket.create_connection(("127.0.0.1", server.port), 20) as sock:
            got, count = talk(sock)
        # The first of them is the look whether it listens.
        deadline = time.monotonic() + 20
        while len(lines_of(kept)) < 2:
            check(time.monotonic() < deadline, "the server is not done")
            time.sleep(0.02)
        if traced:
            await_spans(spans, count)
    finally:
        server.close()
    found = otlp_decode.spans_of_file(spans) if traced else []
    return got, eval(lines_of(kept)[-1]), [s for s in found
                                           if s["kind"] == SERVER]


def outline(span):
    told = span["attributes"]
    return "%s %s %s" % (
        span["name"], told.get("http.response.status_code"),
        told.get("error.type"))


def conversation(name, outlines, whole=True):
    """whole: each head comes in one piece, so that our id is what is read."""
    def put(talk):
        @suite.case(name)
        def _():
            before = converse(name, talk, False)
            if BARE_ONLY:
                return
            after = converse(name, talk, True)
            differ("what the client got", before[0], after[0])
            differ("what the server read", PARENT.sub(rb"\1", before[1]),
                   PARENT.sub(rb"\1", after[1]))
            spans = sorted(after[2], key=lambda s: s["traceId"])
            differ("spans", outlines, [outline(s) for s in spans])
            for number, span in enumerate(spans, 1):
                check((span["traceId"], span["parentSpanId"]) ==
                      ("%032x" % number, "%016x" % number), "%s", span)
            told = [match[1].decode() for match in PARENT.findall(after[1])]
            for number, (span, seen) in enumerate(zip(spans, told), 1):
                check(seen == span["spanId"] or
                      not whole and seen == "%016x" % number, "%s: %s", seen,
                      span)
            check(len(told) >= len(spans), "%s", told)
    return put


@conversation("pipelined", ["GET 200 None", "POST 200 None", "GET 200 None"])
def _(sock):
    sock.sendall(head(1) + head(2, b"POST", more=b"Content-Length: 5\r\n")
                 + b"hello" + head(3))
    sock.shutdown(socket.SHUT_WR)
    return rest(sock), 3


@conversation("web-socket", ["GET 101 None"])
def _(sock):
    sock.sendall(head(1, more=b"Upgrade: echo\r\nConnection: Upgrade\r\n"))
    got = until(sock, b"\r\n\r\n")
    frame = b"\x81\x1eGET / HTTP/1.1\r\nHost: x\r\n\r\n" + head(2)
    for _ in range(3):
        sock.sendall(frame)
        got += until(sock, frame)
    return got, 1


@conversation("continued", ["POST 200 None", "GET 200 None"])
def _(sock):
    sock.sendall(head(1, b"POST", more=b"Expect: 100-continue\r\n"
                      b"Content-Length: 5\r\n"))
    got = until(sock, b"Continue\r\n\r\n")
    sock.sendall(b"hello")
    got += until(sock, b"hi")
    sock.sendall(head(2))
    return got + until(sock, b"hi"), 2


@conversation("half-closed", ["GET 200 None"])
def _(sock):
    sock.sendall(head(1))
    sock.shutdown(socket.SHUT_WR)
    return rest(sock), 1


@conversation("version-1.0", ["GET 200 None"])
def _(sock):
    sock.sendall(head(1, version=b"1.0"))
    return rest(sock), 1


@conversation("aborted", ["GET None connection_reset"])
def _(sock):
    sock.sendall(head(1, path=b"/wait"))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()
    return b"", 1


# Half an id that was read as it came stays what it is.
@conversation("in-bytes", ["GET 200 None", "GET 200 None"], whole=False)
def _(sock):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    got = b""
    for number in (1, 2):
        for byte in head(number):
            sock.send(bytes([byte]))
        got += until(sock, b"hi")
    return got, 2


# ---- hops -------------------------------------------------------------------

def program(name):
    return os.path.join(PROGRAMS, name)


HOPS = {"python": lambda port, back: ["/usr/bin/python3", "-B",
                                      program("serve.py"), "threads",
                                      str(port), back],
        "node": lambda port, back: ["node", program("serve.js"), str(port),
                                    back],
        "ruby": lambda port, back: ["/usr/bin/ruby", program("serve.rb"),
                                    str(port), back]}


def hops(*kinds):
    @suite.case("-to-".join(kinds))
    def _():
        count, back = 20, Back()
        servers, files, url = [], [], back.url
        try:
            for kind in reversed(kinds):
                name = "-".join(kinds) + "." + kind
                files.insert(0, suite.runner.path(name + ".jsonl"))
                run = [COMMAND, "run", "-q", "--file", files[0], "--"]
                servers.append(Daemon(
                    suite.runner, name, lambda port, _: [
                        *([] if BARE_ONLY else run), *HOPS[kind](port, url)],
                    ENV))
                url = "http://127.0.0.1:%d" % servers[-1].port
            ask_all(servers[-1].port, range(count), 1, headers_of)
            for path in () if BARE_ONLY else files:
                await_spans(path, count)
        finally:
            for server in reversed(servers):
                server.close()
            back.close()
        if BARE_ONLY:
            return
        above = {n: ("%032x" % (n + 1), "%016x" % (n + 1))
                 for n in range(count)}
        for path in files:
            for kind in (SERVER, CLIENT):
                spans = [s for s in otlp_decode.spans_of_file(path)
                         if s["kind"] == kind]
                check(len(spans) == count, "%d spans in %s", len(spans), path)
                for span in spans:
                    number = number_of(span)
                    check(above[number] == (span["traceId"],
                                            span["parentSpanId"]),
                          "%d: %s", number, span)
                    above[number] = span["traceId"], span["spanId"]


hops("python", "ruby")
hops("python", "node", "ruby")

sys.exit(suite.main())
