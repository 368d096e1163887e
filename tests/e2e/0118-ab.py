#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""ab (ApacheBench): HTTP/1.0, write and read by libapr, one poll loop."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import (HOSTILE, HOSTILE_LARGE, MANY, RESETS, UPLOAD_BYTES,
                      HttpSuite, upload, want)
from harness import check
from hostile import LARGEST

suite = HttpSuite("ab")
url = suite.server.url
body = suite.runner.write("upload", upload())
STEADY = re.compile(rb"(Document|Server|Concurrency|Complete requests|Failed|"
                    rb"Non-2xx|Keep-Alive|Total transferred|HTML|"
                    rb"Total body sent).*")


def steady(data):
    """The lines of its report that are no timings."""
    return b"\n".join(line for line in data.split(b"\n")
                      if STEADY.match(line) and b"MB/s" not in line)


def ab(name, options, target, wanted, **more):
    more.setdefault("normalise", steady)
    suite.http(name, ["ab", "-q", *options, url(target)], wanted,
               ordered=False, **more)


def connections(count):
    def run(_, records):
        seen = len({r["connection"] for r in records})
        check(seen == count, "%d connections, expected %d", seen, count)
    return run


ab("one", ["-n", "1"], "/ok", [want("GET", "/ok", 200)])
ab("close", ["-n", "40", "-c", "4"], "/ok", [want("GET", "/ok", 200)] * 40,
   check_bare=connections(40))
ab("keepalive", ["-n", str(MANY), "-c", "4", "-k"], "/ok",
   [want("GET", "/ok", 200)] * MANY, check_bare=connections(4), timeout_s=300)
ab("post", ["-n", "4", "-c", "2", "-p", body, "-T", "text/plain"], "/ok",
   [want("POST", "/ok", 200, UPLOAD_BYTES)] * 4)
ab("put", ["-n", "2", "-u", body], "/ok",
   [want("PUT", "/ok", 200, UPLOAD_BYTES)] * 2)
suite.slow_reader(lambda other: [
    "ab", "-q", "-n", "1", "-p", body, "-T", "text/plain", other.url("/ok")],
    normalise=steady)
ab("head", ["-n", "6", "-i"], "/ok", [want("HEAD", "/ok", 200)] * 6)
ab("big", ["-n", "6", "-c", "3", "-k"], "/big",
   [want("GET", "/big", 200)] * 6)
ab("nocontent", ["-n", "6", "-c", "3"], "/204", [want("GET", "/204", 204)] * 6)
ab("notfound", ["-n", "6", "-c", "3"], "/status/404",
   [want("GET", "/status/404", 404)] * 6)
ab("redirect", ["-n", "6"], "/redirect/1", [want("GET", "/redirect/1", 302)]
   * 6)
ab("close-delimited", ["-n", "6", "-c", "2"], "/close",
   [want("GET", "/close", 200)] * 6)
ab("drip", ["-n", "6", "-c", "2", "-k"], "/drip", [want("GET", "/drip", 200)]
   * 6)
ab("reset", ["-n", "4", "-r"], "/reset", [want("GET", "/reset", None)] * 4,
   faults={"connection_reset"}, status=None)


def hostile(base):
    """Kept alive, and a connection each; one after the other: where several
    are under way it begins more than it was asked for, and leaves them."""
    shares = ((0, 0.2), (900, 0.15), (20_000, 0.1), (100_000, 0.05))
    for size, share in shares:
        for options in (["-k"], []):
            yield many(base, size, int(HOSTILE * share), *options)
    yield many(base, LARGEST, HOSTILE_LARGE, "-k")


def many(base, size, count, *options):
    argv = ["ab", "-q", "-n", str(count), *options]
    if size:
        argv += ["-p", suite.sized(size), "-T", "text/plain"]
    return argv + [base("/ok")], [want("POST" if size else "GET", "/ok", 200,
                                       size)] * count


suite.hostile(hostile, ordered=False, normalise=steady)
suite.hostile(lambda base: [many(base, size, RESETS // 3, "-k", "-r")
                            for size in (0, 900, 20_000)],
              "resets", resets=True, normalise=steady)

sys.exit(suite.main())
