#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""HTTPS of programs whose plaintext passes OpenSSL or GnuTLS: as over plain
connections, each request is one span and carries its traceparent."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import sort_headers, want
from harness import PROGRAMS
from tls import TlsSuite

suite = TlsSuite("tls-clients")
SCENARIOS = ["get", "post", "keepalive", "head", "chunked", "notfound",
             "close"]
UPLOAD = 3_000_000


def program(interpreter, name):
    return [interpreter, os.path.join(PROGRAMS, name)]


suite.client("urllib", program("/usr/bin/python3", "client_urllib.py"),
             SCENARIOS)
suite.client("requests", program("/usr/bin/python3", "client_requests.py"),
             SCENARIOS)
suite.client("aiohttp", program("/usr/bin/python3", "client_aiohttp.py"),
             SCENARIOS)
suite.client("lwp", program("perl", "client_lwp.pl"), SCENARIOS,
             normalise_head=sort_headers)
suite.client("http-tiny", program("perl", "client_tiny.pl"), SCENARIOS,
             normalise_head=sort_headers)
suite.client("ruby", program("/usr/bin/ruby", "client.rb"), SCENARIOS)
suite.client("php", program("php", "client.php"),
             [s for s in SCENARIOS if s != "keepalive"])


# --- commands ---

def curl(url):
    run = ["curl", "-sS", "--http1.1", "--max-time", "50"]
    yield run + [url("/ok")], [want("GET", "/ok", 200)]
    yield run + [url("/ok?i=[0-4]")], [want("GET", "/ok?i=%d" % i, 200)
                                       for i in range(5)]
    yield (run + ["-H", "Expect:", "--data-binary", "@" + suite.body,
                  url("/ok")], [want("POST", "/ok", 200, UPLOAD)])
    yield (run + ["-T", suite.body, url("/100")],
           [want("PUT", "/100", 200, UPLOAD)])
    yield (run + ["-L", url("/redirect/2")],
           [want("GET", "/redirect/2", 302),
            want("GET", "/redirect/1?as=302", 302), want("GET", "/ok", 200)])
    yield run + ["-I", url("/ok")], [want("HEAD", "/ok", 200)]
    yield (run + ["-Z", "-o", "out#1", url("/ok?i=[0-19]")],
           [want("GET", "/ok?i=%d" % i, 200) for i in range(20)],
           {"ordered": False, "normalise": lambda d: d.split(b"\r")[0]})


def wget(url):
    run = ["wget", "-q", "--tries=1", "--ca-certificate=" + suite.cert,
           "-O", "out"]
    yield run + [url("/ok")], [want("GET", "/ok", 200)]
    yield (run + ["--post-file=" + suite.body, url("/ok")],
           [want("POST", "/ok", 200, UPLOAD)])
    yield (run + [url("/ok?i=%d" % i) for i in range(5)],
           [want("GET", "/ok?i=%d" % i, 200) for i in range(5)])


def aria2(url):
    yield (["aria2c", "-q", "--ca-certificate=" + suite.cert, "-o", "out",
            url("/ok")], [want("GET", "/ok", 200)])


def ab(url):
    yield (["ab", "-q", "-k", "-n", "20", "-c", "1", url("/ok")],
           [want("GET", "/ok", 200)] * 20, {"bodies": False})
    yield (["ab", "-q", "-n", "2", "-c", "1", "-s", "50", "-T", "text/plain",
            "-p", suite.body, url("/ok")],
           [want("POST", "/ok", 200, UPLOAD)] * 2)


def slow_commands(url):
    post = [want("POST", "/ok", 200, UPLOAD)]
    yield (["curl", "-sS", "--http1.1", "-H", "Expect:", "--data-binary",
            "@" + suite.body, url("/ok")], post)
    yield (["wget", "-q", "--tries=1", "--ca-certificate=" + suite.cert,
            "-O", "out", "--post-file=" + suite.body, url("/ok")], post)
    yield (["ab", "-q", "-n", "1", "-c", "1", "-s", "50", "-T", "text/plain",
            "-p", suite.body, url("/ok")], post)


def timeless(data):
    """ab prints what it has measured, and OpenSSL the thread in its errors."""
    if data.startswith(b"This is ApacheBench"):
        return b""
    return re.sub(rb"(?m)^[0-9A-F]+:error:", b"error:", data)


suite.both("curl", curl)
suite.both("wget", wget)
suite.both("aria2", aria2)
suite.both("ab", ab, normalise=timeless)
suite.both("slow-reader", slow_commands, slow=True, normalise=timeless)

sys.exit(suite.main())
