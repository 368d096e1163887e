# SPDX-License-Identifier: Apache-2.0
"""conversations.py HOST:PORT HOW: one connection and what is said on it."""
import os
import socket
import sys
import tempfile

HOST, _, PORT = sys.argv[1].rpartition(":")
FRAME = b"\x81\x1eGET / HTTP/1.1\r\nHost: x\r\n\r\n"


def head(number, method=b"GET", more=b"", target=b"/x%d"):
    return (b"%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
            % (method, target % number, more))


def post(number, length):
    return head(number, b"POST", b"Content-Length: %d\r\n" % length)


def connect():
    return socket.create_connection((HOST, int(PORT)), 20)


def read(sock, count):
    text = b""
    while len(text) < count and (piece := sock.recv(count - len(text))):
        text += piece
    print(text)
    return text


def until(sock, mark=b"\r\n\r\n"):
    text = b""
    while not text.endswith(mark):
        text += sock.recv(1)
    print(text)


def answer(sock, count=1):
    read(sock, 40 * count)


def corked():
    sock = connect()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    data = post(1, 5)
    for piece in (data[:30], data[30:], b"hel", b"lo"):
        sock.send(piece)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
    answer(sock)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    sock.send(head(2))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
    answer(sock)


def one_writev():
    sock = connect()
    for number in (1, 2):
        print(os.writev(sock.fileno(), [post(number, 9), b"body ", b"",
                                        b"body"]))
        answer(sock)


def in_one_write(count):
    sock = connect()
    data = b"".join(head(i) for i in range(count))
    print(sock.send(data) == len(data))
    answer(sock, count)


def four_in_one_write():
    in_one_write(4)


def forty_in_one_write():
    in_one_write(40)


def answered_ahead():
    sock = connect()
    sock.sendall(head(1) + head(2) + post(3, 5))
    read(sock, 40 + 39 + 40)
    sock.sendall(b"hello")
    sock.sendall(head(4))
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(100):
        pass


def in_file(data):
    file = tempfile.TemporaryFile()
    file.write(data)
    file.flush()
    file.seek(0)
    return file


def sendfile_first():
    """A body that looks like a request, behind a head nobody saw."""
    sock = connect()
    data = post(1, len(head(2)))
    with in_file(data) as file:
        print(os.sendfile(sock.fileno(), file.fileno(), 0, len(data)))
    sock.sendall(head(2))
    answer(sock)
    sock.sendall(head(3))
    answer(sock)


def through_pipe(sock, data):
    reader, writer = os.pipe()
    os.write(writer, data)
    while data:
        data = data[os.splice(reader, sock.fileno(), len(data)):]


def splice_first():
    sock = connect()
    through_pipe(sock, post(1, len(head(2))))
    sock.sendall(head(2))
    answer(sock)


def splice_body():
    sock = connect()
    sock.sendall(post(1, 2000))
    through_pipe(sock, b"b" * 1500)
    through_pipe(sock, b"b" * 500)
    answer(sock)
    sock.sendall(head(2))
    answer(sock)


def from_pipe(sock, count):
    sock.setblocking(True)
    reader, writer = os.pipe()
    while count:
        moved = os.splice(sock.fileno(), writer, count)
        count -= moved
        while moved:
            piece = os.read(reader, moved)
            moved -= len(piece)


def splice_answer():
    sock = connect()
    sock.sendall(head(1))
    from_pipe(sock, 40)
    sock.sendall(head(2))
    from_pipe(sock, 40)


def splice_answers_body():
    sock = connect()
    for number in (1, 2):
        sock.sendall(head(number))
        read(sock, 38)
        from_pipe(sock, 2)


def web_socket():
    sock = connect()
    sock.sendall(head(1, more=b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
                      b"Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n"
                      b"Sec-WebSocket-Version: 13\r\n"))
    until(sock)
    read(sock, 4)
    for _ in range(3):
        sock.sendall(FRAME)
        read(sock, len(FRAME))


def h2c(sock):
    sock.sendall(head(1, more=b"Connection: Upgrade, HTTP2-Settings\r\n"
                      b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"))


def h2c_accepted():
    sock = connect()
    h2c(sock)
    until(sock)
    read(sock, 9)
    sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
    read(sock, 9)


def h2c_refused():
    sock = connect()
    h2c(sock)
    answer(sock)
    sock.sendall(head(2))
    answer(sock)


def tunnel():
    sock = connect()
    request = (b"CONNECT example.com:443 HTTP/1.1\r\n"
               b"Host: example.com:443\r\n%s\r\n")
    sock.sendall(request % b"")
    until(sock)
    read(sock, 4)
    sock.sendall(request % b"Proxy-Authorization: Basic eDp5\r\n")
    until(sock)
    sock.sendall(b"\x16\x03\x01\0\xc8" + head(1).ljust(200, b"x"))
    read(sock, 6)


def absolute():
    sock = connect()
    for number, host in ((1, b"db.internal"), (2, b"example.com"),
                         (3, b"localhost:81")):
        sock.sendall(head(number, target=b"http://" + host + b"/x%d"))
        answer(sock)


def behind_socks():
    sock = connect()
    sock.sendall(b"\5\1\0")
    read(sock, 2)
    sock.sendall(b"\5\1\0\1\x7f\0\0\1\0\x50")
    read(sock, 10)
    for number in (1, 2):
        sock.sendall(head(number))
        answer(sock)


PROXY = b"PROXY TCP4 127.0.0.1 127.0.0.1 1024 80\r\n"


def behind_proxy_line():
    sock = connect()
    sock.sendall(PROXY)
    sock.sendall(head(1))
    answer(sock)


def behind_proxy_line_in_one_write():
    sock = connect()
    sock.sendall(PROXY + head(1))
    answer(sock)


def early_answer_then_reused():
    sock = connect()
    sock.sendall(post(1, 5))
    until(sock)
    read(sock, 2)
    sock.sendall(b"hello")
    sock.sendall(head(2))
    answer(sock)


def early_answer_then_closed():
    sock = connect()
    sock.sendall(post(1, 1000000))
    until(sock)
    read(sock, 2)
    read(sock, 1)
    sock.close()
    sock = connect()
    sock.sendall(head(2))
    answer(sock)


def expectation_refused():
    sock = connect()
    sock.sendall(head(1, b"POST", b"Expect: 100-continue\r\n"
                      b"Content-Length: 100\r\n"))
    until(sock)
    read(sock, 2)
    sock.sendall(head(2))
    answer(sock)


def hints():
    sock = connect()
    for number in (1, 2):
        sock.sendall(head(number))
        until(sock)
        answer(sock)


def errors():
    sock = connect()
    for number in (1, 2, 3):
        sock.sendall(head(number))
        until(sock)
        read(sock, 2)


def reused_after_a_timeout():
    """The answer that came too late is thrown away, the next one is not."""
    sock = connect()
    sock.settimeout(0.1)
    sock.sendall(head(1))
    try:
        sock.recv(1)
    except TimeoutError:
        print("timeout")
    sock.settimeout(20)
    sock.sendall(head(2))
    answer(sock)
    answer(sock)


globals()[sys.argv[2]]()
