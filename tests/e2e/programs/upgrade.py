# SPDX-License-Identifier: Apache-2.0
"""upgrade.py HOST:PORT: ask for another protocol, then speak that (stdin)."""
import socket
import sys

host, _, port = sys.argv[1].partition(":")
sock = socket.create_connection((host, int(port)), 20)
sock.sendall(b"GET /upgrade HTTP/1.1\r\nHost: %s\r\nUpgrade: echo\r\n"
             b"Connection: Upgrade\r\n\r\n" % sys.argv[1].encode())
answer = b""
while not answer.endswith(b"\r\n\r\n"):
    answer += sock.recv(1)
sock.sendall(sys.stdin.buffer.read())
sock.shutdown(socket.SHUT_WR)
while piece := sock.recv(65536):
    answer += piece
print(answer)
