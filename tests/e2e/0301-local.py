#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Pipes, files, terminals, datagrams, passed descriptors: left alone."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from harness import PROGRAMS
from looks import BystanderSuite

suite = BystanderSuite("local")
HEAD = b"GET /secret HTTP/1.1\r\nHost: a.test\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
like_http = suite.runner.write("like-http", HEAD * 50 + ANSWER)
large = suite.runner.write("large", os.urandom(3_000_000))
PYTHON = ["/usr/bin/python3", "-S", "-E"]


def sh(name, script, **options):
    suite.same(name, ["sh", "-c", script], **options)


sh("pipe", "cat %s | tr a-z A-Z | sha256sum" % large)
sh("echo", "echo hello; echo oops >&2; exit 3", status=3)
sh("here-document", "cat <<E\nGET / HTTP/1.1\nE", extra_looks=4)
suite.same("true", ["true"])
suite.same("false", ["false"], status=1)
suite.same("file", ["cp", large, "copy"])
suite.same("many-files", ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do "
                          "echo $i >f$i; done; cat f* | sort -r"])
suite.same("tar", ["tar", "-czf", "x.tgz", "--mtime=2026-01-01", "-C",
                   suite.runner.home, "like-http"])
suite.same("dd", ["dd", "if=" + large, "of=out", "bs=1000", "status=none"])
suite.same("bash", ["bash", "-c", "while read -r a b; do echo $b $a; done < %s"
                    % like_http])
suite.same("stdin", ["cat"], stdin=os.urandom(200_000))
# What begins like HTTP costs the one look that proves it is no socket, for
# each process and descriptor that it passes.
suite.same("http-text-in-a-file", ["cp", like_http, "copy"], extra_looks=2)
suite.same("http-text-in-a-pipe", ["sh", "-c", "cat %s | cat | cat"
                                   % like_http], extra_looks=6)
suite.same("http-answer-in-a-pipe", ["sh", "-c", "printf '%s' | cat"
                                     % ANSWER.decode()
                                     .replace("\r\n", "\\r\\n")],
           extra_looks=4)
suite.same("http-text-on-stdin", ["cat"], stdin=HEAD * 3, extra_looks=2)
suite.same("datagrams", PYTHON + [os.path.join(PROGRAMS, "udp.py")],
           extra_looks=8)
suite.same("passed-descriptors",
           PYTHON + [os.path.join(PROGRAMS, "pass_descriptor.py")],
           extra_looks=4)
suite.same("terminal", PYTHON + [os.path.join(PROGRAMS, "terminal.py")],
           looks=False)
suite.same("killed", ["sh", "-c", "kill -9 $$"], status=-9)
suite.same("python", PYTHON + ["-c", "import json, os; print(json.dumps("
                               "sorted(os.listdir('/'))))"])
suite.same("many-processes", ["sh", "-c", "i=0; while [ $i -lt 50 ]; do "
                              "/bin/echo $i; i=$((i+1)); done"])

sys.exit(suite.main())
