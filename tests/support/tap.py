# SPDX-License-Identifier: Apache-2.0
"""A byte-for-byte TCP relay that remembers what passed.

For servers that cannot tell the exact bytes they got (Apache, nginx, ...):
put a Tap before them, and .records() parses what passed into records of the
same shape as truth_server's.
"""
import itertools
import socket
import threading
import time

import hostile
import http1


class Pipe:
    """What passed through one relayed connection, with times."""

    def __init__(self, number):
        self.number = number
        self.pieces = {"up": [], "down": []}

    def add(self, direction, piece):
        self.pieces[direction].append((time.time_ns(), piece))

    def reader(self, direction):
        pieces = iter(self.pieces[direction])
        clock = [0]

        def fill():
            when, piece = next(pieces, (clock[0], b""))
            clock[0] = when
            return piece
        return http1.Reader(fill), clock


class Tap:
    """slow: what the client sends is read as hostile.py has it."""

    def __init__(self, target_port, target_host="127.0.0.1", slow=False):
        self._target = (target_host, target_port)
        self._slow = slow
        self._lock = threading.Condition()
        self._open = 0
        self._pipes = []
        self._listener = socket.socket()
        if slow:
            hostile.tighten(self._listener)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(512)
        self.port = self._listener.getsockname()[1]
        self.accepted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.accepted += 1
                pipe = Pipe(self.accepted)
                self._pipes.append(pipe)
                self._open += 2
                self._lock.notify_all()
            try:
                server = socket.create_connection(self._target)
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                client.close()
                self._done(2)
                continue
            for args in ((client, server, pipe, "up"),
                         (server, client, pipe, "down")):
                threading.Thread(target=self._relay, args=args,
                                 daemon=True).start()

    def _relay(self, source, sink, pipe, direction):
        steps = itertools.cycle(
            hostile.SIPS if self._slow and direction == "up" else [65536])
        try:
            while True:
                piece = source.recv(next(steps))
                if not piece:
                    break
                pipe.add(direction, piece)
                if len(piece) == 1:
                    time.sleep(0.001)
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for sock in (source, sink):
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self._done(1)

    def _done(self, count):
        with self._lock:
            self._open -= count
            self._lock.notify_all()

    def drain(self, timeout_s=20):
        """Wait until all that was relayed so far has ended."""
        seen = self.accepted
        with socket.create_connection(("127.0.0.1", self.port)):
            with self._lock:
                self._lock.wait_for(lambda: self.accepted > seen, 5)
        with self._lock:
            if not self._lock.wait_for(lambda: self._open == 0, timeout_s):
                raise TimeoutError("%d relayed streams open" % self._open)

    def clear(self):
        with self._lock:
            self._pipes.clear()

    def records(self):
        found = []
        for pipe in list(self._pipes):
            found += parse(pipe, self.port)
        found.sort(key=lambda r: r["head_ns"])
        for serial, record in enumerate(found, 1):
            record["serial"] = serial
        return found

    def close(self):
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def parse(pipe, port):
    """The requests of one connection, each with its answer."""
    up, up_clock = pipe.reader("up")
    down, down_clock = pipe.reader("down")
    records = []
    while True:
        raw = up.head()
        if not raw:
            return records
        request = http1.Request(raw)
        record = new_record(pipe, len(records) + 1, request, up_clock[0], port)
        body = http1.Body()
        try:
            http1.read_request_body(up, request, body)
            read_answer(down, down_clock, record)
        except http1.Disconnected as error:
            record["fault"] = str(error)
        record["body_bytes"] = body.length
        record["body_sha256"] = body.sha256()
        record["pipelined"] = up.pending() > 0
        records.append(record)


def new_record(pipe, number, request, head_ns, port):
    return {
        "connection": pipe.number, "request": number,
        "method": request.method, "target": request.target,
        "version": request.version,
        "headers": [list(pair) for pair in request.headers],
        "head": request.raw.decode("latin-1"),
        "chunked": request.chunked(), "trailers": "",
        "status": None, "answer_version": None, "fault": None,
        "head_ns": head_ns, "answer_ns": None, "end_ns": None,
        "server": ["127.0.0.1", port],
    }


def read_answer(down, clock, record):
    while True:
        raw = down.head()
        if not raw:
            raise http1.Disconnected("no answer")
        response = http1.Response(raw)
        if response.status // 100 != 1 or response.status == 101:
            break
    record["status"] = response.status
    record["answer_version"] = response.version
    record["answer_ns"] = clock[0]
    http1.read_response_body(down, response, record["method"], http1.Body())
    record["end_ns"] = clock[0]
