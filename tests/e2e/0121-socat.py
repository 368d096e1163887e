#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""socat: whatever bytes it is given, in whatever pieces.

The request comes from a pipe; a head that arrives complete in one write, a
byte at a time, with two or two hundred heads at once, and things that only look
like HTTP.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import (HOSTILE, HOSTILE_LARGE, RESETS, UPLOAD_BYTES, HttpSuite,
                      numbered, upload, want)
from harness import BARE_ONLY, PROGRAMS, check, compare_results
from hostile import sizes
from spancheck import traceparents

suite = HttpSuite("socat")
HOST = "Host: %s\r\n" % suite.server.authority
TARGET = "TCP:127.0.0.1:%d" % suite.server.port


def get(path, more="", close=False):
    return "GET %s HTTP/1.1\r\n%s%s%s\r\n" % (
        path, HOST, more, "Connection: close\r\n" if close else "")


def socat(name, text, wanted, blocksize=None, **options):
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    argv = ["socat", "-t5"]
    if blocksize:
        argv += ["-b%d" % blocksize]
    suite.http(name, argv + ["-", TARGET], wanted, stdin=data, **options)


socat("get", get("/ok", close=True), [want("GET", "/ok", 200)])
socat("pipelined", get("/ok?i=0") + get("/ok?i=1", close=True),
      [want("GET", "/ok?i=0", 200), want("GET", "/ok?i=1", 200)])
for number in (10, 32):
    socat("pipelined-%d" % number,
          "".join(get("/ok?i=%d" % i, close=i == number - 1)
                  for i in range(number)),
          [want("GET", "/ok?i=%d" % i, 200) for i in range(number)])
for size in (1, 2, 3, 7, 16, 61, 64):
    socat("blocks-of-%d" % size,
          get("/ok?i=0", "X-A: b\r\n") + get("/204") + get("/304")
          + get("/chunked", close=True),
          [want("GET", "/ok?i=0", 200), want("GET", "/204", 204),
           want("GET", "/304", 304), want("GET", "/chunked", 200)],
          blocksize=size)
socat("post", b"".join((b"POST /ok HTTP/1.1\r\n", HOST.encode(),
                        b"Content-Length: %d\r\n" % UPLOAD_BYTES,
                        b"Connection: close\r\n\r\n", upload())),
      [want("POST", "/ok", 200, UPLOAD_BYTES)])
socat("post-then-get",
      "POST /ok HTTP/1.1\r\n%sContent-Length: 5\r\n\r\nhello" % HOST
      + get("/ok", close=True),
      [want("POST", "/ok", 200, 5), want("GET", "/ok", 200)])
socat("chunked-both",
      "POST /chunked HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n"
      "Connection: close\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\n"
      "X-T: 1\r\n\r\n" % HOST, [want("POST", "/chunked", 200, 11)])
socat("chunked-split",
      "POST /chunked HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n"
      "Connection: close\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\n"
      "X-T: 1\r\n\r\n" % HOST, [want("POST", "/chunked", 200, 11)],
      blocksize=3)
socat("body-like-a-head",
      "POST /ok HTTP/1.1\r\n%sContent-Length: 39\r\n"
      "Connection: close\r\n\r\n" % HOST
      + "GET /ok HTTP/1.1\r\nHost: evil.test\r\n\r\n\r\n",
      [want("POST", "/ok", 200, 39)])
socat("odd-case", get("/ok", "host-x: 1\r\nACCEPT:*/*\r\nX-Empty:\r\n",
                      close=True), [want("GET", "/ok", 200)])
socat("http10", "GET /ok HTTP/1.0\r\n\r\n", [want("GET", "/ok", 200)])
socat("lower-case-method", "get /ok HTTP/1.1\r\n%sConnection: close\r\n\r\n"
      % HOST, [want("get", "/ok", 200)])
socat("star", "OPTIONS * HTTP/1.1\r\n%sConnection: close\r\n\r\n" % HOST,
      [want("OPTIONS", "*", 404)],
      expected=lambda r: {"url.full": suite.server.url("")})


def untouched(name, text, sees_request):
    """Bytes that are no HTTP request we may edit arrive as they are."""
    @suite.case(name)
    def run():
        data = text.encode("latin-1")
        argv = ["socat", "-t5", "-", TARGET]
        bare, before = suite.once(argv, False, stdin=data)
        traced, after = suite.once(argv, True, stdin=data)
        check(bare.out == traced.out, "answers %r and %r", bare.out[:300],
              traced.out[:300])
        check(len(before) == len(after) == sees_request, "%d, %d requests",
              len(before), len(after))
        for one, other in zip(before, after):
            check(one["head"] == other["head"], "%r became %r", one["head"],
                  other["head"])
        if sees_request == 0 and not BARE_ONLY:
            check(traced.spans() == [], "spans %s", traced.spans())


untouched("not-http", "HELLO there\r\n\r\n", 0)
untouched("almost-http", "GET /ok HTTP/3.1\r\n%s\r\n" % HOST, 1)
untouched("no-version", "GET /ok\r\n\r\n", 0)
untouched("own-context", get(
    "/ok", "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"
    "-01\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"
    "-01\r\n", close=True), 1)


def upgraded(name, argv, data):
    """After a 101 the bytes are somebody else's."""
    @suite.case(name)
    def run():
        bare, before = suite.once(argv, False, stdin=data)
        traced, after = suite.once(argv, True, stdin=data)
        compare_results(bare, traced)
        check(len(before) == len(after) == 1, "%d requests", len(after))
        if not traced.traced:
            return
        check(len(traceparents(after[0])) == 1, "%s", after[0]["head"])
        span, = traced.spans()
        check(span["attributes"]["http.response.status_code"] == 101, "%s",
              span)


UPGRADE = get("/upgrade", "Upgrade: echo\r\nConnection: Upgrade\r\n")
AFTER = "GET /not/http HTTP/1.1\r\nHost: x\r\n\r\n" * 3
upgraded("upgrade", ["/usr/bin/python3", os.path.join(PROGRAMS, "upgrade.py"),
                     suite.server.authority], AFTER.encode())
# A client that does not wait for the 101, as it had better.
upgraded("upgrade-optimistic", ["socat", "-t5", "-", TARGET],
         (UPGRADE + AFTER).encode())


# ---- servers that read slowly, and servers that reset ----------------------

def pipelines(base, some, at_once, *options):
    """A process for each at_once requests, sent without waiting."""
    for first in range(0, len(some), at_once):
        part = some[first:first + at_once]
        yield (["socat", *options, "-t50", "-", "TCP:" + authority(base)],
               numbered(part, first=first),
               {"stdin": b"".join(
                   message(base, first + i, size, i == len(part) - 1)
                   for i, size in enumerate(part))})


def authority(base):
    return base("").split("//")[1]


def message(base, number, size, last):
    return b"".join((
        b"%s /ok?i=%d HTTP/1.1\r\nHost: %s\r\n" % (
            b"POST" if size else b"GET", number, authority(base).encode()),
        b"Content-Length: %d\r\n" % size if size else b"",
        b"Connection: close\r\n" if last else b"", b"\r\n",
        upload()[:size]))


suite.hostile(lambda base: pipelines(base, sizes(HOSTILE, HOSTILE_LARGE), 20))
# A write each: whether a second one would meet the reset is chance.
suite.hostile(lambda base: pipelines(base, sizes(RESETS, 0, True), 1,
                                     "-b65536"), "resets", resets=True)

sys.exit(suite.main())
