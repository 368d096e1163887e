# SPDX-License-Identifier: Apache-2.0
"""How a hostile truth server behaves, one request after the other.

Its listener has a small segment size and a small receive buffer: with them a
client's kernel takes about 40 KB before it says EAGAIN, instead of 4 MB. Each
request is read in the next of MOODS; where there are RESETS, the first attempt
at a target may meet one of them, and whatever comes again is served.
"""
import re
import socket
import threading

import http1
from routes import filler, wait_until_read

RCVBUF = 4096
SEGMENT = 536
# A connection is closed, as HTTP does it, after so many requests.
PER_CONNECTION = 11
# Sizes of the bodies of successive requests; 0 is a GET. Whatever the mood's
# turn, every size meets every mood: their numbers have no common factor.
SIZES = [0, 12, 0, 900, 20_000, 0, 3_000, 100_000, 0, 1, 0, 60_000, 0, 7_000]
SMALL_SIZES = [0, 12, 0, 900, 20_000, 0, 3_000]
LARGEST = 3_000_000


def sizes(count, large, small=False):
    """count sizes, of which `large` are of 3 MB, spread over all."""
    some = SMALL_SIZES if small else SIZES
    found = [some[i % len(some)] for i in range(count)]
    for number in range(large):
        found[(2 * number + 1) * count // (2 * large)] = LARGEST
    return found


class Mood:
    """How one request is read and answered.

    step          most bytes of one read, in the head and in the body
    pauses        how many reads are preceded by a millisecond's rest
    stall         milliseconds of rest after the first byte (head) or between
                  head and body (body)
    pieces        the answer leaves in so many writes, a millisecond apart
    """

    def __init__(self, step=(65536, 65536), pauses=0, stall_head=0,
                 stall_body=0, pieces=1):
        self.head_step, self.body_step = step
        self.pauses = pauses
        self.stall_head = stall_head
        self.stall_body = stall_body
        self.pieces = pieces


MOODS = [
    Mood(),
    Mood(step=(1, 997)),
    Mood(step=(61, 1500), pauses=12),
    Mood(step=(65536, 4096), stall_body=8),
    Mood(step=(1, 65536), stall_head=3),
    Mood(pieces=4),
    Mood(step=(7, 30_000), pauses=6, stall_body=3),
    Mood(step=(300, 536), pieces=2),
    Mood(step=(65536, 16_384), stall_body=15),
]
assert len(MOODS) == 9 and len(SIZES) == 14


# For who does not know where a request begins (tap.py): bytes of successive
# reads, a millisecond's rest after a single one.
SIPS = [65536, 1, 7, 300, 61, 997, 1500, 16_384, 1, 536, 4096, 30_000]


def tighten(listener):
    """Before it listens: what is accepted inherits it."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RCVBUF)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)


def cut(exchange):
    """The request line has been read and no more."""
    exchange.record["cut"] = True
    reset(exchange)


def no_answer(exchange):
    exchange.read_body()
    reset(exchange)


def half_body(exchange):
    """Half of what the client wants to send, all of it if it is little."""
    length = (exchange.request.length() or 0) // 2
    http1.read_sized(exchange.connection.reader, length, exchange.body,
                     exchange.connection.body_step())
    exchange.record["body_bytes"] = exchange.body.length
    reset(exchange)


def half_answer(exchange):
    exchange.read_body()
    exchange.send(exchange.head(200, [("Content-Length", "3000")])
                  + filler(1500))
    wait_until_read(exchange.connection.socket)
    reset(exchange)


def reset(exchange):
    exchange.record["fault"] = "reset"
    exchange.close = True
    exchange.connection.abort()


# What the first attempt of a request meets, by its number.
RESETS = [None, cut, None, no_answer, None, half_body, None, None, None,
          half_answer, None, cut]


class Hostile:
    """The behaviour of one server; its threads share it."""

    def __init__(self, resets=None, per_connection=PER_CONNECTION):
        self.per_connection = per_connection
        self.resets = resets
        self._lock = threading.Lock()
        self.clear()

    def clear(self):
        """From the start, so that the next run meets the same."""
        with self._lock:
            self._turn = 0
            self._met = set()

    def mood(self):
        """The next request's."""
        with self._lock:
            self._turn += 1
            return MOODS[(self._turn - 1) % len(MOODS)]

    def action(self, line):
        """What a request is to meet, by the first line of it: one of RESETS,
        or None; by its turn where its target has no number."""
        if not self.resets or b"/.barrier" in line:
            return None
        found = re.search(rb"[?&]i=(\d+)", line)
        with self._lock:
            number = int(found.group(1)) if found else self._turn - 1
            key = (bool(found), number)
            if key in self._met:
                return None
            self._met.add(key)
        return self.resets[number % len(self.resets)]
