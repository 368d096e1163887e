# SPDX-License-Identifier: Apache-2.0
"""Reading HTTP/1.x messages from a byte stream, for the test servers.

Written for the tests alone and independent of the library under test: it
keeps the raw bytes of every head, so that a test can compare them.
"""
import hashlib
import re
import time

MAX_HEAD_BYTES = 1 << 20


class ProtocolError(Exception):
    """The peer sent something that is not HTTP/1.x."""


class Disconnected(Exception):
    """The peer closed or reset the connection in the middle of something."""


class Reader:
    """A pull buffer over fill(), which returns b'' at the end of the stream."""

    def __init__(self, fill):
        self._fill = fill
        self._data = bytearray()
        self.ended = False

    def more(self):
        """Take in what the next fill() gives; False at the end."""
        if self.ended:
            return False
        piece = self._fill()
        if not piece:
            self.ended = True
            return False
        self._data += piece
        return True

    def pending(self):
        return len(self._data)

    def take(self, count):
        """The next count bytes at most: fewer only at the end."""
        while len(self._data) < count and self.more():
            pass
        piece = bytes(self._data[:count])
        del self._data[:count]
        return piece

    def take_some(self, most):
        """At least one byte and at most most; b'' at the end."""
        if not self._data and not self.more():
            return b""
        piece = bytes(self._data[:most])
        del self._data[:most]
        return piece

    def peek_line(self):
        """The next line, left where it is; what there is of it at the end."""
        while b"\n" not in self._data and self.more():
            pass
        return bytes(self._data.partition(b"\n")[0])

    def line(self):
        """Up to and including the next LF."""
        while True:
            end = self._data.find(b"\n")
            if end >= 0:
                return self.take(end + 1)
            if len(self._data) > MAX_HEAD_BYTES:
                raise ProtocolError("line too long")
            if not self.more():
                raise Disconnected("end within a line")

    def head(self):
        """The raw bytes up to and including the blank line; b'' at the end."""
        while True:
            end = self._data.find(b"\r\n\r\n")
            if end >= 0:
                return self.take(end + 4)
            if len(self._data) > MAX_HEAD_BYTES:
                raise ProtocolError("head too long")
            if not self.more():
                if self._data:
                    raise Disconnected("end within a head: %r"
                                       % bytes(self._data[:200]))
                return b""


def split_head(raw):
    """The start line and the (name, value) pairs, in order, as latin-1."""
    lines = raw[:-4].decode("latin-1").split("\r\n")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise ProtocolError("bad header line %r" % line)
        headers.append((name, value.strip(" \t")))
    return lines[0], headers


class Body:
    """Length and digest of a body, fed piece by piece."""

    def __init__(self):
        self.length = 0
        self._digest = hashlib.sha256()

    def feed(self, piece):
        self.length += len(piece)
        self._digest.update(piece)

    def sha256(self):
        return self._digest.hexdigest()


class Message:
    """One request or one response head, with its headers."""

    def __init__(self, raw):
        self.raw = raw
        self.start, self.headers = split_head(raw)
        self.time_ns = time.time_ns()

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name, default=""):
        found = self.all(name)
        return found[0] if found else default

    def chunked(self):
        return "chunked" in self.get("transfer-encoding").lower()

    def length(self):
        """The Content-Length, or None."""
        values = set(self.all("content-length"))
        if not values:
            return None
        if len(values) > 1 or not values.copy().pop().isdigit():
            raise ProtocolError("bad content-length %r" % values)
        return int(values.pop())


class Request(Message):
    def __init__(self, raw):
        super().__init__(raw)
        found = re.fullmatch(r"(\S+) (\S.*) HTTP/(\d\.\d)", self.start)
        if not found:
            raise ProtocolError("bad request line %r" % self.start)
        self.method, self.target, self.version = found.groups()

    def keeps_alive(self):
        token = self.get("connection").lower()
        if self.version == "1.0":
            return "keep-alive" in token
        return "close" not in token

    def expects_100(self):
        return self.get("expect").lower() == "100-continue"


class Response(Message):
    def __init__(self, raw):
        super().__init__(raw)
        found = re.fullmatch(r"HTTP/(\d\.\d) (\d{3})( .*)?", self.start)
        if not found:
            raise ProtocolError("bad status line %r" % self.start)
        self.version = found.group(1)
        self.status = int(found.group(2))

    def bodyless(self, method):
        return (method == "HEAD" or self.status in (204, 304)
                or self.status // 100 == 1
                or (method == "CONNECT" and self.status // 100 == 2))


def read_sized(reader, length, body, step=65536):
    left = length
    while left:
        piece = reader.take_some(min(left, step))
        if not piece:
            raise Disconnected("body ended %d bytes early" % left)
        body.feed(piece)
        left -= len(piece)


def read_chunked(reader, body, step=65536):
    """The decoded bytes go to body; trailers are returned, raw."""
    while True:
        line = reader.line()
        size = line.split(b";")[0].strip()
        if not re.fullmatch(rb"[0-9a-fA-F]+", size):
            raise ProtocolError("bad chunk size %r" % line)
        if int(size, 16) == 0:
            break
        read_sized(reader, int(size, 16), body, step)
        if reader.line() not in (b"\r\n", b"\n"):
            raise ProtocolError("chunk does not end where it should")
    trailers = b""
    while True:
        line = reader.line()
        if line in (b"\r\n", b"\n"):
            return trailers
        trailers += line


def read_request_body(reader, request, body, step=65536):
    if request.chunked():
        read_chunked(reader, body, step)
    elif request.length():
        read_sized(reader, request.length(), body, step)


def read_response_body(reader, response, method, body):
    if response.bodyless(method):
        return
    if response.chunked():
        read_chunked(reader, body)
    elif response.length() is not None:
        read_sized(reader, response.length(), body)
    else:
        while True:
            piece = reader.take_some(65536)
            if not piece:
                return
            body.feed(piece)
