# SPDX-License-Identifier: Apache-2.0
"""A server that follows a script and keeps every byte, and cases for it.

For conversations that no HTTP server would have: what is compared, bare
against traced, is what each connection received, to the byte.
"""
import os
import re
import socket
import struct
import threading
import time

import harness
from harness import ROOT, check, compare_results, differ
from spancheck import client_spans

HEADER = re.compile(rb"traceparent: 00-[0-9a-f]{32}-([0-9a-f]{16})-0[0-3]\r\n")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Connection:
    """One connection, for a script: f(connection)."""

    def __init__(self, sock, number):
        self.sock = sock
        self.number = number
        self.got = bytearray()
        self.used = 0

    def fill(self):
        piece = self.sock.recv(65536)
        self.got += piece
        return bool(piece)

    def read(self, count):
        while len(self.got) - self.used < count and self.fill():
            pass
        piece = bytes(self.got[self.used:self.used + count])
        self.used += len(piece)
        return piece

    def until(self, mark=b"\r\n\r\n"):
        """Up to and with the mark; b"" at the end."""
        while (at := self.got.find(mark, self.used)) < 0:
            if not self.fill():
                return b""
        return self.read(at + len(mark) - self.used)

    def request(self):
        """A head and the body that its length announces; b"" at the end."""
        head = self.until()
        length = re.search(rb"content-length: (\d+)", head.lower())
        return head and head + self.read(int(length[1]) if length else 0)

    def send(self, data):
        self.sock.sendall(data)

    def rest(self):
        while self.fill():
            pass

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()


def answer_all(connection):
    """An ordinary server: each request, until the end."""
    while connection.request():
        connection.send(OK)


class ByteServer:
    def __init__(self, script):
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.authority = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._connections = []
        self._threads = []
        self._accepted = None
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                sock, peer = self._listener.accept()
            except OSError:
                return
            sock.settimeout(30)
            connection = Connection(sock, len(self._connections))
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()
            self._accepted = peer

    def _serve(self, connection):
        try:
            self._script(connection)
            connection.rest()
        except OSError:
            pass
        connection.sock.close()

    def close(self):
        """What each connection received, in the order they were made."""
        # Connections are accepted in order: ours is the last.
        with socket.create_connection(self._listener.getsockname()) as last:
            while self._accepted != last.getsockname():
                time.sleep(0.002)
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for thread in self._threads:
            thread.join()
        return [bytes(c.got) for c in self._connections[:-1]]


def counter_names():
    """The phrase of each counter that the log tells, with its name."""
    with open(os.path.join(ROOT, "core", "counters.def")) as file:
        rows = re.findall(r'^COUNTER\(\w+, "([\w.]+)", (?:LOST|LESS),\s+'
                          r'"([^"]+)"\)', file.read(), re.M)
    return {phrase: name for name, phrase in rows}


def read_counters(path):
    counts = {}
    if os.path.exists(path):
        with open(path) as file:
            for number, phrase in re.findall(r": (\d+) (.*)", file.read()):
                name = counter_names()[phrase]
                counts[name] = counts.get(name, 0) + int(number)
    return counts


def outline(span):
    attributes = span["attributes"]
    result = attributes.get("http.response.status_code")
    result = result or attributes.get("error.type")
    if attributes.get("autotrace.incomplete"):
        result = "incomplete"
    why = attributes.get("autotrace.not_propagated")
    url = attributes.get("url.full", "").partition("/x")[2]
    text = "%s %s %s" % (span["name"], url, result)
    return text + (" " + why if why else "")


class ByteSuite(harness.Suite):
    def bytes(self, name, argv, spans, script=answer_all, lost=None,
              env=None, outputs=True, compare=None):
        """One program, bare and traced.

        spans   outlines: "GET 1 200" is GET /x1, answered 200
        lost    the counters that must not be zero
        outputs False where the program's own output varies
        compare f(list of what was received) -> what of it must be equal
        """
        self.add(name, self._bytes, argv, spans, script, lost or {},
                 env or {}, outputs, compare or (lambda received: received))

    def _once(self, argv, script, traced, env):
        server = ByteServer(script)
        try:
            result = self.runner.run(
                [a.replace("AUTHORITY", server.authority) for a in argv],
                traced=traced, env=env)
        finally:
            received = server.close()
        port = server.authority.encode()
        return result.expect_status(0), [r.replace(port, b"AUTHORITY")
                                         for r in received]

    def _bytes(self, argv, spans, script, lost, env, outputs,
               compare):
        bare, before = self._once(argv, script, False, env)
        log = self.runner.path("log")
        if os.path.exists(log):
            os.unlink(log)
        traced, after = self._once(argv, script, True,
                                   dict(env, AUTOTRACE_LOG=log))
        if outputs:
            compare_results(bare, traced)
        differ("what was received", compare(before),
               compare([HEADER.sub(b"", r) for r in after]))
        if not traced.traced:
            return
        found = client_spans(traced.spans())
        differ("spans", sorted(spans), sorted(map(outline, found)))
        sent = sum((HEADER.findall(r) for r in after), [])
        ids = [s["spanId"].encode() for s in found
               if "autotrace.not_propagated" not in s["attributes"]]
        differ("headers", sorted(ids), sorted(sent))
        counts = read_counters(log)
        check(counts == lost, "counted %s, expected %s", counts, lost)
