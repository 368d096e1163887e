#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""AUTOTRACE_LOG=stderr: what the exporter's thread has to say arrives there,
though that thread has descriptors of its own; and nowhere else."""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite
from harness import BARE_ONLY, check

suite = HttpSuite("log-stderr")
url = suite.server.url


def refusing():
    """A port nobody listens on for as long as the socket lives."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    return held, "http://127.0.0.1:%d" % held.getsockname()[1]


def run(argv, **env):
    held, endpoint = refusing()
    with held:
        result, _ = suite.once(argv, True, span_file=False, env={
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **env})
    result.expect_status(0)
    return result


@suite.case("exporter")
def exporter():
    argv = ["curl", "-sS", url("/ok")]
    bare, _ = suite.once(argv, False)
    result = run(argv, AUTOTRACE_LOG="stderr")
    check(result.out == bare.out, "stdout %r", result.out)
    if not BARE_ONLY:
        check(b"spans not delivered" in result.err, "%r", result.err)
    check(run(argv).err == b"", "unasked words")


@suite.case("not-into-what-is-no-stderr")
def no_stderr():
    """A file that is read as well may be a database."""
    argv = ["sh", "-c", "exec 2<>file; exec curl -sS %s" % url("/ok")]
    result = run(argv, AUTOTRACE_LOG="stderr")
    check(result.files["file"] == b"", "%r", result.files["file"])


sys.exit(suite.main())
