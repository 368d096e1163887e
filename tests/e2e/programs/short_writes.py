# SPDX-License-Identifier: Apache-2.0
"""short_writes.py HOST:PORT CALL HOW COUNT: pipelined requests whose bytes go
out in whatever pieces the kernel takes.

CALL  send, write, writev, sendmsg, sendto
HOW   nonblocking; timeout (a blocking socket that gives up, SO_SNDTIMEO);
      signals (a blocking socket and a timer that interrupts it); poll (writes
      until EAGAIN, and only then waits for POLLOUT); edge (the same with an
      edge-triggered epoll, which says once that there is room again)
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
    if HOW in ("nonblocking", "poll", "edge"):
        sock.setblocking(False)
    elif HOW == "timeout":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO,
                        struct.pack("ll", 0, 3000))
    else:
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    return sock


class Waiter:
    """select for all; for poll and edge, room is what EAGAIN has not denied."""

    def __init__(self, sock):
        self.sock = sock
        self.room = True
        self.epoll = None
        if HOW == "edge":
            self.epoll = select.epoll()
            self.epoll.register(sock, select.EPOLLIN | select.EPOLLOUT
                                | select.EPOLLET)

    def wait(self, want_write):
        """(may write, may read)"""
        if HOW == "edge":
            # An edge for each: what has come is read until there is no more.
            wait_s = 0 if want_write and self.room else 30
            events = dict(self.epoll.poll(wait_s)).get(self.sock.fileno(), 0)
        elif HOW == "poll":
            poll = select.poll()
            poll.register(self.sock, select.POLLIN | (
                select.POLLOUT if want_write and not self.room else 0))
            wait_ms = 0 if want_write and self.room else 30_000
            events = dict(poll.poll(wait_ms)).get(self.sock.fileno(), 0)
        else:
            ready = select.select([self.sock],
                                  [self.sock] if want_write else [], [], 30)
            return ready[1], ready[0]
        if not events and not (want_write and self.room):
            sys.exit("nothing for 30 s")
        self.room = self.room or bool(events & select.POLLOUT)
        return want_write and self.room, bool(events & select.POLLIN)


def main():
    sock = connect()
    waiting, ends, sent, answered = b"", [], 0, 0
    queued, left, short, digest = 0, b"", 0, hashlib.sha256()
    waiter = Waiter(sock)
    while answered < COUNT:
        while queued < COUNT and queued - answered < WINDOW:
            left += request(queued)
            queued += 1
            ends.append(len(left) + sent)
        may_write, may_read = waiter.wait(bool(left))
        if may_write:
            count = put(sock, left)
            waiter.room = count is not None
            short += count is not None and count < len(left)
            if count:
                digest.update(left[:count])
                left, sent = left[count:], sent + count
        while may_read:
            try:
                text = sock.recv(65536)
            except BlockingIOError:
                break
            if not text:
                sys.exit("the server left")
            done, waiting = answers(waiting + text)
            answered += done
            may_read = HOW == "edge"
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(sent, ends[-1], answered, digest.hexdigest())
    if short <= COUNT // 8:
        sys.exit("only %d calls were cut short" % short)


main()
