#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A recording HTTP/1.x server on a free loopback port: the ground truth.

As a class: TruthServer() starts its threads at once; .port, .records(),
.drain(), .clear(), .close(). As a command it prints its port, writes one JSON
line per request to --log (default stdout) and ends when stdin does.

One record per request whose head arrived whole:
  serial, connection, request     numbers, from 1; request counts within its
                                  connection
  method, target, version         as received
  headers                         [[name, value], ...] in raw order
  head                            the exact bytes, as latin-1
  body_bytes, body_sha256         of the decoded body, as far as it was read
  chunked, trailers               whether the body came in chunks
  pipelined                       more bytes had arrived before the answer
  cut                             reset before the head was whole: its first
                                  line is all that is known
  status, answer_version          what was answered (None: nothing)
  fault                           why the exchange ended badly, or None
  head_ns, answer_ns, end_ns      wall clock: head complete, answer begun, over
  peer, server                    [address, port] of both ends
  tls                             did it come by HTTPS?
"""
import argparse
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time

import http1
from hostile import cut, tighten
from routes import ROUTES

BARRIER = "/.barrier"


class Exchange:
    """One request being answered; what the routes work on."""

    def __init__(self, connection, request, record):
        self.connection = connection
        self.request = request
        self.record = record
        self.path, _, self.query = request.target.partition("?")
        if "://" in self.path:
            self.path = "/" + self.path.split("/", 3)[3]
        self.close = not request.keeps_alive()
        self.body = http1.Body()
        self.keep_body = None
        self._body_read = False
        self._held = b""

    def option(self, name, default):
        """An integer from the query string."""
        for pair in self.query.split("&"):
            key, _, value = pair.partition("=")
            if key == name and value.lstrip("-").isdigit():
                return int(value)
        return default

    def send(self, data):
        if self.record["answer_ns"] is None:
            self.record["answer_ns"] = time.time_ns()
        self.connection.put(self._held + data)
        self._held = b""

    def interim(self, status, reason, headers=(), hold=False):
        """A 1xx head: not the answer, so it is not recorded as one.

        hold: let it leave in one write with the answer.
        """
        head = "HTTP/1.1 %d %s\r\n" % (status, reason)
        head += "".join("%s: %s\r\n" % h for h in headers) + "\r\n"
        if hold:
            self._held += head.encode("latin-1")
        else:
            self.connection.socket.sendall(head.encode("latin-1"))

    def read_body(self):
        """Read it once, asking for it first where the client waits."""
        if self._body_read:
            return
        self._body_read = True
        reader = self.connection.reader
        has_body = self.request.chunked() or self.request.length()
        if has_body and self.request.expects_100() and not reader.pending():
            self.interim(100, "Continue")
        sink = Tee(self.body) if self.keep_body else self.body
        step = self.connection.body_step()
        try:
            if self.request.chunked():
                self.record["trailers"] = http1.read_chunked(
                    reader, sink, step).decode("latin-1")
            elif self.request.length():
                http1.read_sized(reader, self.request.length(), sink, step)
        finally:
            self.record["body_bytes"] = self.body.length
            self.record["body_sha256"] = self.body.sha256()
        self.record["pipelined"] = reader.pending() > 0
        if self.keep_body:
            self.content = sink.content

    def head(self, status, headers, version=None, reason="Whatever"):
        """Send the final head."""
        version = version or self.request.version
        self.record["status"] = status
        self.record["answer_version"] = version
        text = "HTTP/%s %d %s\r\n" % (version, status, reason)
        text += "".join("%s: %s\r\n" % h for h in headers) + "\r\n"
        return text.encode("latin-1")

    def connection_header(self):
        if self.close:
            return [("Connection", "close")]
        if self.request.version == "1.0":
            return [("Connection", "keep-alive")]
        return []

    def answer(self, status, content=b"", headers=(), reason="Whatever"):
        """The ordinary answer: a head with Content-Length, and the body."""
        fields = [("Server", "truth")] + list(headers)
        if status not in (204, 304) and status // 100 != 1:
            fields.append(("Content-Length", str(len(content))))
        fields += self.connection_header()
        data = self.head(status, fields, reason=reason)
        if self.request.method != "HEAD" and status not in (204, 304):
            data += content
        self.send(data)


class Tee:
    """Keeps a body besides digesting it (for CGI programs)."""

    def __init__(self, body):
        self._body = body
        self.content = bytearray()

    def feed(self, piece):
        self._body.feed(piece)
        self.content += piece


class Connection:
    """One accepted connection and the thread that serves it."""

    def __init__(self, server, sock, number):
        self.server = server
        self.socket = sock
        self.number = number
        self.requests = 0
        self.reader = http1.Reader(self._fill)
        self.idle = True
        self.mood = None
        self._pauses = self._step = 0

    def _fill(self):
        if self.server.read_pause_ms:
            time.sleep(self.server.read_pause_ms / 1000)
        if not self.mood:
            return self.socket.recv(self.server.read_step)
        if self._pauses:
            self._pauses -= 1
            time.sleep(0.001)
        return self.socket.recv(self._step)

    def body_step(self):
        """The head is there; how the body is to be read."""
        if not self.mood:
            return self.server.read_step
        self._step = self.mood.body_step
        self._pauses = self.mood.pauses
        time.sleep(self.mood.stall_body / 1000)
        return self._step

    def put(self, data):
        """Answer bytes, in as many writes as the mood wants."""
        pieces = self.mood.pieces if self.mood else 1
        size = max(1, -(-len(data) // pieces))
        for start in range(0, len(data), size):
            if start:
                time.sleep(0.001)
            self.socket.sendall(data[start:start + size])

    def await_request(self):
        """Its first byte has come, and by that its turn: how to read it, and
        how to break off. None when the client has left."""
        if not self.reader.pending() and not self.socket.recv(
                1, socket.MSG_PEEK):
            return None
        self.mood = self.server.hostile.mood()
        self._pauses, self._step = self.mood.pauses, 1
        line = b""
        if self.server.hostile.resets:
            line = self.reader.peek_line()
        self._step = self.mood.head_step
        time.sleep(self.mood.stall_head / 1000)
        return self.server.hostile.action(line) or self.server.dispatch

    def run(self):
        try:
            if self.server.tls:
                self.socket = self.server.tls.wrap_socket(
                    self.socket, server_side=True)
            while self.serve_one():
                pass
        except (OSError, http1.Disconnected, http1.ProtocolError) as error:
            self.server.note_fault(self.number, error)
        finally:
            self.say_goodbye()
            self.socket.close()
            self.server.gone(self)

    def say_goodbye(self):
        """The end of a TLS stream, without waiting for the peer's."""
        if not self.server.tls or self.socket.fileno() < 0:
            return
        try:
            self.socket.settimeout(0)
            self.socket.unwrap()
        except (OSError, ValueError):
            pass

    def serve_one(self):
        action = self.server.dispatch
        if self.server.hostile:
            action = self.await_request()
            if not action:
                return False
        if action is cut:
            raw = self.reader.line() + b"\r\n"
        else:
            raw = self.reader.head()
        if not raw:
            return False
        self.idle = False
        request = http1.Request(raw)
        if request.target == BARRIER:
            self.socket.sendall(b"HTTP/1.1 204 x\r\n\r\n")
            return False
        return self.serve(request, action)

    def serve(self, request, action):
        self.requests += 1
        record = self.new_record(request)
        exchange = Exchange(self, request, record)
        if self.server.hostile:
            limit = self.server.hostile.per_connection
            exchange.close |= bool(limit and self.requests >= limit)
        try:
            action(exchange)
        except (OSError, http1.Disconnected, http1.ProtocolError) as error:
            record["fault"] = record["fault"] or "%s: %s" % (
                type(error).__name__, error)
            raise
        finally:
            record["end_ns"] = time.time_ns()
            self.server.log(record)
            self.idle = True
        return not exchange.close

    def new_record(self, request):
        body = http1.Body()
        return {
            "serial": self.server.next_serial(),
            "connection": self.number, "request": self.requests,
            "method": request.method, "target": request.target,
            "version": request.version,
            "headers": [list(pair) for pair in request.headers],
            "head": request.raw.decode("latin-1"),
            "body_bytes": 0, "body_sha256": body.sha256(),
            "chunked": request.chunked(), "trailers": "",
            "pipelined": self.reader.pending() > 0, "cut": False,
            "status": None, "answer_version": None, "fault": None,
            "head_ns": request.time_ns, "answer_ns": None, "end_ns": None,
            "peer": self.address(self.socket.getpeername),
            "server": self.address(self.socket.getsockname),
            "tls": self.server.tls is not None,
        }

    def address(self, which):
        if self.socket.family == socket.AF_UNIX:
            return [which(), 0]
        return list(which()[:2])

    def abort(self):
        """Close with a reset: the peer's next read fails."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
        self.socket.close()


class TruthServer:
    """See the module's text; apps maps a path prefix to f(exchange), tls is
    the ssl.SSLContext of a server that speaks nothing else."""

    def __init__(self, host="127.0.0.1", unix=None, rcvbuf=None,
                 read_step=65536, read_pause_ms=0, apps=None, log=None,
                 hostile=None, tls=None):
        self.tls = tls
        self.hostile = hostile
        self.read_step = read_step
        self.read_pause_ms = read_pause_ms
        self.apps = dict(apps or {})
        self._log_file = log
        self._lock = threading.Condition()
        self._records = []
        self._connections = {}
        self._faults = []
        self._serial = 0
        self.accepted = 0
        self._listen(host, unix, rcvbuf)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _listen(self, host, unix, rcvbuf):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.address = unix or (host, 0)
        self._listener = socket.socket(socket.AF_UNIX if unix else family)
        if rcvbuf:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                      rcvbuf)
        if self.hostile:
            tighten(self._listener)
        self._listener.bind(self.address)
        self._listener.listen(512)
        self.host, self.port = host, 0
        if not unix:
            self.port = self._listener.getsockname()[1]
            self.address = (host, self.port)

    @property
    def authority(self):
        host = "[%s]" % self.host if ":" in self.host else self.host
        return "%s:%d" % (host, self.port)

    def url(self, path="/", host=None):
        return "%s://%s%s" % (
            "https" if self.tls else "http",
            "%s:%d" % (host, self.port) if host else self.authority, path)

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.accepted += 1
                connection = Connection(self, sock, self.accepted)
                self._connections[connection.number] = connection
            threading.Thread(target=connection.run, daemon=True).start()

    def dispatch(self, exchange):
        path = exchange.path
        for prefix, app in self.apps.items():
            if path.startswith(prefix):
                return app(exchange)
        name, _, argument = path.strip("/").partition("/")
        route = ROUTES.get(name)
        if not route:
            exchange.read_body()
            return exchange.answer(404, b"no such route\n")
        return route(exchange, argument)

    def next_serial(self):
        with self._lock:
            self._serial += 1
            return self._serial

    def log(self, record):
        with self._lock:
            self._records.append(record)
            if self._log_file:
                print(json.dumps(record), file=self._log_file, flush=True)
            self._lock.notify_all()

    def note_fault(self, number, error):
        with self._lock:
            self._faults.append((number, str(error)))

    def gone(self, connection):
        with self._lock:
            self._connections.pop(connection.number, None)
            self._lock.notify_all()

    def records(self):
        """The requests so far, in the order their heads arrived."""
        with self._lock:
            return sorted(self._records, key=lambda r: r["serial"])

    def clear(self):
        with self._lock:
            self._records.clear()
            self._faults.clear()
        if self.hostile:
            self.hostile.clear()

    def wait_for(self, count, timeout_s=20):
        """Wait until count requests have been logged."""
        with self._lock:
            if not self._lock.wait_for(
                    lambda: len(self._records) >= count, timeout_s):
                raise TimeoutError("%d of %d requests came"
                                   % (len(self._records), count))

    def drain(self, timeout_s=20, idle_ok=False):
        """Wait until every connection made so far has been served out.

        Connections are accepted in order, so one of our own, answered, says
        that all earlier ones have their thread.
        """
        sock = socket.socket(self._listener.family)
        with sock:
            sock.settimeout(timeout_s)
            sock.connect(self.address)
            if self.tls:
                sock = ssl._create_unverified_context().wrap_socket(sock)
            sock.sendall(("GET %s HTTP/1.1\r\n\r\n" % BARRIER).encode())
            while sock.recv(4096):
                pass
        with self._lock:
            if not self._lock.wait_for(lambda: self._quiet(idle_ok),
                                       timeout_s):
                raise TimeoutError("connections still open: %s"
                                   % sorted(self._connections))

    def _quiet(self, idle_ok):
        return all(idle_ok and c.idle for c in self._connections.values())

    def close(self):
        # Closing does not wake accept(); shutting the socket down does.
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join(5)
        self._listener.close()
        with self._lock:
            connections = list(self._connections.values())
        for connection in connections:
            try:
                connection.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--unix", help="listen on this path instead")
    parser.add_argument("--log", help="file for the records (default stdout)")
    parser.add_argument("--rcvbuf", type=int, help="SO_RCVBUF, bytes")
    parser.add_argument("--read-step", type=int, default=65536,
                        help="most bytes taken by one read")
    parser.add_argument("--read-pause-ms", type=int, default=0,
                        help="wait before each read")
    args = parser.parse_args()
    log = open(args.log, "a") if args.log else sys.stdout
    with TruthServer(args.host, args.unix, args.rcvbuf, args.read_step,
                     args.read_pause_ms, log=log) as server:
        print(server.port, flush=True)
        while os.read(0, 4096):
            pass


if __name__ == "__main__":
    main()
