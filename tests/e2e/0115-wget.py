#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""wget: write and read, the body in a write of its own, peeks first."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))

from coverage import (HOSTILE, HOSTILE_LARGE, MANY, RESETS, SCENARIOS,
                      HttpSuite, drop, numbered, scenario_options, upload,
                      want)
from hostile import LARGEST, PER_CONNECTION

suite = HttpSuite("wget")
url = suite.server.url
body = suite.runner.write("upload", upload())
# Dates, speeds and times of its log.
quiet = drop(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", rb"\([0-9.]+ [KMG]?B/s\)",
             rb" +[0-9.]+[KMG]?=[0-9.]+s", rb"(in|clock time:) [0-9.]+s",
             rb" [0-9.]+[KMG] +[0-9.]+s\n", rb" [0-9.]+[KMG]=[0-9.]+s",
             rb" [0-9.]+[KMG] [0-9.]+s")


def wget(name, *arguments, **options):
    merged = scenario_options(name) if name in SCENARIOS else {}
    merged.update(options)
    merged.setdefault("normalise", quiet)
    suite.http(name, ["wget", "--tries=1", "--timeout=50", "-nv",
                      "-O", "out", *arguments], **merged)


wget("get", url("/ok"))
wget("query", url("/ok?a=1&b=two"))
wget("post", "--post-file=" + body, url("/ok"))
wget("put", "--method=PUT", "--body-file=" + body, url("/ok"))
wget("smallpost", "--post-data=hello world!", url("/ok"))
wget("keepalive", *[url("/ok?i=%d" % i) for i in range(5)])
wget("spider", "-S", "--spider", url("/ok"),
     wanted=[want("HEAD", "/ok", 200)])
wget("nocontent", url("/204"))
wget("notmodified", url("/304"), status=8)
wget("redirect", url("/redirect/2"))
wget("chunked", url("/chunked"))
wget("trailer", "-S", url("/chunked?trailer=1&extension=1"))
wget("hints", url("/103"), status=None)
wget("close", url("/close"))
wget("close11", url("/close11"))
wget("big", "--progress=dot", url("/big"))
wget("bighead", "-S", url("/bighead?bytes=6000"))
wget("drip", url("/drip"))
wget("slow", url("/slow?ms=150"))
wget("notfound", url("/status/404"), status=8)
wget("broken", url("/status/500"), status=8)
wget("delete", "--method=DELETE", url("/ok"))
wget("patch", "--method=PATCH", "--body-data=hello world!", url("/ok"))
wget("propfind", "--method=PROPFIND", url("/ok"))
wget("truncated", url("/truncated"), status=None)
wget("truncchunk", url("/truncated/chunked"), status=None)
wget("reset", url("/reset"), status=None)
wget("midreset", url("/reset/mid"), status=None)
wget("empty", url("/empty-reply"), status=None)
wget("early", "--post-file=" + body, url("/early"), status=None)
wget("auth", "--user=me", "--password=p", url("/auth"),
     wanted=[want("GET", "/auth", 401), want("GET", "/auth", 200)])
wget("many", "-q", *[url("/ok?i=%d" % i) for i in range(MANY)])
wget("retried", "--tries=3", "--waitretry=0", url("/empty-reply"),
     wanted=[want("GET", "/empty-reply", None)] * 3, status=4,
     faults={"response_truncated"})
suite.slow_reader(lambda other: [
    "wget", "--tries=1", "-nv", "-O", "out", "--post-file=" + body,
    other.url("/ok")], normalise=quiet)
wget("verbose", "-v", url("/ok"), wanted=[want("GET", "/ok", 200)])


def site(exchange):
    """A page with links, for -r."""
    exchange.read_body()
    links = "".join('<a href="/ok?i=%d">%d</a>' % (i, i) for i in range(3))
    exchange.answer(200, links.encode(), [("Content-Type", "text/html")])


suite.server.apps["/site"] = site
suite.http("recursive", ["wget", "-q", "-r", "-l1", "--tries=1",
                         url("/site")],
           [want("GET", "/site", 200), want("GET", "/robots.txt", 404)]
           + [want("GET", "/ok?i=%d" % i, 200) for i in range(3)])


def hostile(base):
    """It has one method and one body a process."""
    shares = ((0, 0.4), (900, 0.3), (20_000, 0.2), (100_000, 0.1))
    first = 0
    for size, share in shares:
        count = int(HOSTILE * share)
        yield several(base, size, count, first)
        first += count
    yield several(base, LARGEST, HOSTILE_LARGE, first)


def several(base, size, count, first=0, *options):
    argv = ["wget", "--tries=1", "--timeout=50", "-nv", "-O", "out", *options]
    if size:
        argv += ["--post-file=" + suite.sized(size)]
    return (argv + [base("/ok?i=%d" % i) for i in range(first, first + count)],
            numbered([size] * count, first=first))


suite.hostile(hostile, normalise=quiet, per_connection=PER_CONNECTION)


def whenever(data):
    """Whether a reset overtakes the answer is the kernel's to say."""
    return re.sub(rb"Read error .Connection reset by peer. in headers.\n", b"",
                  quiet(data))


suite.hostile(lambda base: [
    several(base, size, RESETS // 3, RESETS // 3 * i, "--tries=3",
            "--waitretry=0") for i, size in enumerate((0, 900, 20_000))],
    "resets", resets=True, normalise=whenever, per_connection=PER_CONNECTION)

sys.exit(suite.main())
