# SPDX-License-Identifier: Apache-2.0
"""Datagrams that look like HTTP (as SSDP does), over UDP and UNIX sockets."""
import socket

TEXT = b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"

one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
two = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.bind(("127.0.0.1", 0))
two.connect(one.getsockname())
for text in (TEXT, GET, b"x", b""):
    print(two.send(text), one.recvfrom(2000)[0])
left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
for text in (TEXT, GET, b"x"):
    print(left.send(text), right.recv(2000))
left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
print(left.send(GET), right.recv(2000))
