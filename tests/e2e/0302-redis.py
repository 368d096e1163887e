#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""redis-cli and redis-server, both traced: nothing of theirs changes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import otlp_decode
from daemons import Daemon
from harness import check
from looks import BystanderSuite
from timing import preload

suite = BystanderSuite("redis")
spans = suite.runner.path("server.jsonl")


def make(port, home):
    return ["redis-server", "--port", str(port), "--bind", "127.0.0.1",
            "--dir", home, "--save", "", "--appendonly", "no"]


server = Daemon(suite.runner, "redis", make, preload(AUTOTRACE_FILE=spans))
suite.cleanup(server.close)
CLI = ["redis-cli", "-p", str(server.port)]
LIKE_HTTP = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
lines = "".join("SET key%d value%d\nGET key%d\nINCR n\nSET n 0\n" % (i, i, i)
                for i in range(500))


def piped(count):
    out = b""
    for number in range(count):
        parts = (b"SET", b"bin%d" % number, os.urandom(5000))
        out += b"*3\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(p), p)
                                    for p in parts)
    return out


suite.same("ping", CLI + ["ping"])
suite.same("set", CLI + ["set", "a", "b"])
suite.same("get", CLI + ["get", "a"])
suite.same("like-http", CLI + ["set", "h", LIKE_HTTP])
suite.same("like-http-back", CLI + ["get", "h"])
suite.same("large", CLI + ["-x", "set", "large"], stdin=b"x" * 3_000_000)
suite.same("large-back", CLI + ["get", "large"])
suite.same("error", CLI + ["nonsense"])
suite.same("many", CLI, stdin=lines.encode())
suite.same("pipe", CLI + ["--pipe"], stdin=piped(300), looks=False)
suite.same("lists", CLI + ["lpush", "l", "1", "2", "3"], normalise=lambda d:
           b"" if d.strip().isdigit() else d)


@suite.case("server-has-no-span")
def server_silent():
    check(not os.path.exists(spans) or otlp_decode.spans_of_file(spans) == [],
          "the server made spans")


sys.exit(suite.main())
