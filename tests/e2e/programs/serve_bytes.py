# SPDX-License-Identifier: Apache-2.0
"""serve_bytes.py PORT FILE: one connection after another; what each has sent
is a line of FILE when it has ended."""
import re
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=16)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Client:
    def __init__(self, sock):
        self.sock, self.got, self.used = sock, b"", 0

    def fill(self):
        piece = self.sock.recv(65536)
        self.got += piece
        return piece

    def head(self):
        while (at := self.got.find(b"\r\n\r\n", self.used)) < 0:
            if not self.fill():
                return b""
        head, self.used = self.got[self.used:at + 4], at + 4
        return head

    def body(self, length):
        while len(self.got) - self.used < length and self.fill():
            pass
        self.used += length

    def serve(self):
        while head := self.head():
            if b"Upgrade: echo" in head:
                self.sock.sendall(b"HTTP/1.1 101 Switching\r\nUpgrade: echo"
                                  b"\r\nConnection: Upgrade\r\n\r\n")
                while piece := self.fill():
                    self.sock.sendall(piece)
                return
            if b"Expect:" in head:
                self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            if length := re.search(rb"Content-Length: (\d+)", head):
                self.body(int(length[1]))
            if b"/wait" in head:
                self.fill()         # until the client has gone
            if b"HTTP/1.0" in head:
                self.sock.sendall(b"HTTP/1.0 200 OK\r\n\r\nold")
                return
            self.sock.sendall(OK)


while True:
    sock, _ = listener.accept()
    client = Client(sock)
    try:
        client.serve()
    except OSError:
        pass
    sock.close()
    with open(sys.argv[2], "a") as file:
        print(repr(client.got), file=file)
