# SPDX-License-Identifier: Apache-2.0
"""short_writes.py HOST:PORT CALL HOW COUNT: pipelined requests whose bytes go
out in whatever pieces the kernel takes.

CALL  send, write, writev, sendmsg, sendto
HOW   nonblocking; timeout (a blocking socket that gives up, SO_SNDTIMEO);
      signals (a blocking socket and a timer that interrupts it)
The send buffer is as small as it gets, the server reads slowly, and sixteen
requests at most wait for an answer. Every call must report at most the bytes
that it was given, and all reports together exactly those that there are.
"""
import hashlib
import os
import select
import signal
import socket
import struct
import sys

AUTHORITY, CALL, HOW = sys.argv[1:4]
COUNT = int(sys.argv[4])
WINDOW = 16


def request(number):
    """Heads of very different sizes, some with a body."""
    fill = "f" * (number * 397 % 3000)
    body = b"%d" % number * (number % 7 * 300)
    return ("POST /ok?i=%d HTTP/1.1\r\nHost: %s\r\nX-Fill: %s\r\n"
            "Content-Length: %d\r\n\r\n" % (
                number, AUTHORITY, fill, len(body))).encode() + body


def pieces(data):
    return [data[i:i + 700] for i in range(0, min(len(data), 30000), 700)]


def put(sock, data):
    """One call; the number of bytes that it reports, or None."""
    try:
        if CALL == "send":
            count = sock.send(data)
        elif CALL == "sendto":
            count = sock.sendto(data, socket.MSG_NOSIGNAL,
                                sock.getpeername())
        elif CALL == "write":
            count = os.write(sock.fileno(), data)
        elif CALL == "writev":
            count = os.writev(sock.fileno(), pieces(data))
        else:
            count = sock.sendmsg(pieces(data))
    except BlockingIOError:
        return None
    if not 0 < count <= len(data):
        sys.exit("reported %d of %d" % (count, len(data)))
    return count


def answers(text):
    """Whole answers in text, and what is left of it."""
    count = 0
    while True:
        head, mark, rest = text.partition(b"\r\n\r\n")
        if not mark:
            return count, text
        length = int(head.split(b"Content-Length: ")[1].split(b"\r")[0])
        if len(rest) < length:
            return count, text
        count, text = count + 1, rest[length:]


def connect():
    host, _, port = AUTHORITY.rpartition(":")
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sock.connect((host, int(port)))
    if HOW == "nonblocking":
        sock.setblocking(False)
    elif HOW == "timeout":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO,
                        struct.pack("ll", 0, 3000))
    else:
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    return sock


def main():
    sock = connect()
    waiting, ends, sent, answered = b"", [], 0, 0
    queued, left, short, digest = 0, b"", 0, hashlib.sha256()
    while answered < COUNT:
        while queued < COUNT and queued - answered < WINDOW:
            left += request(queued)
            queued += 1
            ends.append(len(left) + sent)
        ready = select.select([sock], [sock] if left else [], [], 30)
        if ready[1]:
            count = put(sock, left)
            short += count is not None and count < len(left)
            if count:
                digest.update(left[:count])
                left, sent = left[count:], sent + count
        if ready[0]:
            text = sock.recv(65536)
            if not text:
                sys.exit("the server left")
            done, waiting = answers(waiting + text)
            answered += done
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(sent, ends[-1], answered, digest.hexdigest())
    if short <= COUNT // 8:
        sys.exit("only %d calls were cut short" % short)


main()
