#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A strict OTLP/HTTP trace receiver on a free loopback port.

As a class:

    with OtlpReceiver() as receiver:
        receiver.script = [status(503, retry_after="1"), OK]
        ... run a program with receiver.environment() ...
        receiver.spans(); receiver.requests; receiver.errors

script holds what to do with the next POSTs, one entry each; when it is used
up, default (OK) serves. An entry is a function of the Post. What a POST
carries is decoded strictly and kept only when its answer is a 2xx; whatever is
wrong with it goes to errors, which a test must find empty.

As a command it prints its port, then one line of JSON per span, and ends when
stdin does.
"""
import gzip
import json
import os
import socket
import sys
import threading
import time
import zlib

import http1
import otlp_decode


class Post:
    """One request, whole, that a behaviour answers."""

    def __init__(self, receiver, sock, request, content):
        self.receiver = receiver
        self.socket = sock
        self.request = request
        self.content = content
        self.time_ns = time.time_ns()
        self.bytes_sent = 0

    def answer(self, status, content=b"", headers=()):
        fields = list(headers) + [("Content-Length", str(len(content)))]
        head = "HTTP/1.1 %d x\r\n" % status
        head += "".join("%s: %s\r\n" % h for h in fields) + "\r\n"
        self.send(head.encode() + content)

    def send(self, data):
        self.socket.sendall(data)
        self.bytes_sent += len(data)


# ---- behaviours: f(post) -> True to keep the connection -------------------

def OK(post):
    """200 and what the specification's full success is: an empty message."""
    post.answer(200, b"", [("Content-Type", "application/x-protobuf")])
    return True


def status(code, retry_after=None, content=b""):
    def behave(post):
        extra = [("Retry-After", retry_after)] if retry_after else []
        post.answer(code, content, extra)
        return True
    behave.code = code
    return behave


def partial_success(rejected, message):
    def behave(post):
        text = message.encode()
        inner = b"\x08" + bytes([rejected]) + b"\x12" + bytes([len(text)])
        inner += text
        post.answer(200, b"\x0a" + bytes([len(inner)]) + inner,
                    [("Content-Type", "application/x-protobuf")])
        return True
    return behave


def slow(seconds, then=OK):
    """Answer late; ends early when the client goes away."""
    def behave(post):
        post.socket.settimeout(seconds)
        try:
            if not post.socket.recv(1, socket.MSG_PEEK):
                return False
        except socket.timeout:
            pass
        post.socket.settimeout(None)
        return then(post)
    return behave


def close_mid_response(post):
    post.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    return False


def close_without_answer(_):
    return False


def garbage(post):
    post.send(b"\x00\xff\x17 no protocol at all \r\n\r\n" * 20)
    return False


# Whoever breaks off like this has not taken the spans.
close_mid_response.code = close_without_answer.code = garbage.code = 0


def endless(limit_bytes=1 << 30):
    """A response body of limit_bytes, for as long as the client reads."""
    def behave(post):
        post.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                  % limit_bytes)
        piece = bytes(1 << 16)
        for _ in range(limit_bytes >> 16):
            post.send(piece)
        return False
    return behave


def endless_headers(limit_bytes=1 << 28):
    def behave(post):
        post.send(b"HTTP/1.1 200 OK\r\n")
        for _ in range(limit_bytes // 1000):
            post.send(b"X-Filler: " + b"x" * 990 + b"\r\n")
        return False
    return behave


def redirect(location):
    def behave(post):
        post.answer(307, b"", [("Location", location)])
        return True
    behave.code = 307
    return behave


def never(post):
    """Keep the request and say nothing until the client goes away."""
    while post.socket.recv(4096):
        pass
    return False


class OtlpReceiver:
    def __init__(self, default=OK, host="127.0.0.1"):
        self.default = default
        self.script = []
        self.posts = []
        self.errors = []
        self.connections = 0
        self.path = "/v1/traces"
        self._spans = []
        self._lock = threading.Condition()
        self._listener = socket.create_server((host, 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.endpoint = "http://127.0.0.1:%d" % self.port
        self._sockets = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def environment(self):
        """What sends a program's spans here."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint}

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self._sockets.add(sock)
            threading.Thread(target=self._serve, args=(sock,),
                             daemon=True).start()

    def _serve(self, sock):
        reader = http1.Reader(lambda: sock.recv(65536))
        try:
            while self._serve_one(sock, reader):
                pass
        except (http1.Disconnected, OSError):
            pass
        except http1.ProtocolError as error:
            self._error("not HTTP: %s" % error)
        finally:
            with self._lock:
                self._sockets.discard(sock)
            sock.close()

    def _serve_one(self, sock, reader):
        raw = reader.head()
        if not raw:
            return False
        request = http1.Request(raw)
        body = Whole()
        if request.expects_100():
            sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        http1.read_request_body(reader, request, body)
        post = Post(self, sock, request, bytes(body.content))
        spans = self._check(post)
        with self._lock:
            behave = self.script.pop(0) if self.script else self.default
            self.posts.append(post)
            if 200 <= getattr(behave, "code", 200) < 300:
                self._spans += spans
            self._lock.notify_all()
        return behave(post) and request.keeps_alive()

    def _check(self, post):
        try:
            return check_post(post, self.path)
        except (otlp_decode.Invalid, OSError, EOFError, zlib.error) as error:
            self._error("%s: %s" % (type(error).__name__, error))
            return []

    def _error(self, text):
        with self._lock:
            self.errors.append(text)

    def spans(self):
        with self._lock:
            return list(self._spans)

    def wait_spans(self, count, timeout_s=20):
        with self._lock:
            self._lock.wait_for(lambda: len(self._spans) >= count, timeout_s)
            return list(self._spans)

    def wait_posts(self, count, timeout_s=20):
        with self._lock:
            return self._lock.wait_for(lambda: len(self.posts) >= count,
                                       timeout_s)

    def clear(self):
        with self._lock:
            self._spans.clear()
            self.posts.clear()
            self.errors.clear()
            self.connections = 0

    def close(self):
        # Closing does not wake accept(); shutting the socket down does.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            sockets = list(self._sockets)
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Whole:
    def __init__(self):
        self.content = bytearray()

    def feed(self, piece):
        self.content += piece


def check_post(post, path):
    """The spans of a POST that is right in every respect."""
    need = otlp_decode.need
    request = post.request
    need(request.method == "POST", "method %s", request.method)
    need(request.target == path, "target %s", request.target)
    need(not request.all("traceparent"), "a traced export")
    kind = request.get("content-type")
    encoding = request.get("content-encoding")
    need(len(request.all("content-type")) == 1, "content-type %r",
         request.all("content-type"))
    need(encoding in ("", "gzip"), "content-encoding %r", encoding)
    content = gzip.decompress(post.content) if encoding else post.content
    need(len(content) <= 64 << 20, "request over 64 MiB")
    if kind == "application/x-protobuf":
        return otlp_decode.spans_of_protobuf(content)
    need(kind == "application/json", "content-type %r", kind)
    return otlp_decode.spans_of_json_line(content)


class BlackHole:
    """A port that swallows connections.

    accepting=True takes connections and never reads or answers; False leaves
    them unaccepted with a full backlog, so that a connect() never completes.
    """

    def __init__(self, accepting=True):
        self._sockets = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port = self._listener.getsockname()[1]
        self.endpoint = "http://127.0.0.1:%d" % self.port
        self.connections = 0
        if accepting:
            self._listener.listen(256)
            threading.Thread(target=self._accept, daemon=True).start()
        else:
            self._fill()

    def _accept(self):
        while True:
            try:
                self._sockets.append(self._listener.accept()[0])
            except OSError:
                return
            self.connections += 1

    def _fill(self):
        """Connect until a connect does not complete."""
        for _ in range(64):
            sock = socket.socket()
            self._sockets.append(sock)
            sock.settimeout(0.3)
            try:
                sock.connect(("127.0.0.1", self.port))
            except socket.timeout:
                return
        raise RuntimeError("the backlog does not fill")

    def environment(self):
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint}

    def close(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        for sock in self._sockets:
            sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def refused_port():
    """A loopback port nobody listens on (held, not listened to, meanwhile)."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock, sock.getsockname()[1]


def main():
    with OtlpReceiver() as receiver:
        print(receiver.port, flush=True)
        if len(sys.argv) > 1 and sys.argv[1] == "--quiet":
            while os.read(0, 4096):
                pass
            print(len(receiver.spans()), len(receiver.errors), flush=True)
            return
        while os.read(0, 4096):
            pass
        for span in receiver.spans():
            print(json.dumps(span, default=repr))
        for error in receiver.errors:
            print("error: %s" % error, file=sys.stderr)


if __name__ == "__main__":
    main()
