#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""aria2: writev with one piece, non-blocking."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import (HOSTILE, RESETS, SCENARIOS, HttpSuite, drop, numbered,
                      scenario_options, want)
from hostile import PER_CONNECTION

suite = HttpSuite("aria2")
url = suite.server.url
# Its log has dates, an id for each download and speeds.
quiet = drop(rb"\d\d/\d\d \d\d:\d\d:\d\d", rb"(?m)^[0-9a-f]{6}\|",
             rb"GID#[0-9a-f]+", rb"\|[^|\n]*\|(?=[/h])", rb"\[#.*")


def aria(name, *arguments, **options):
    merged = scenario_options(name) if name in SCENARIOS else {}
    merged.update(options)
    merged.setdefault("normalise", quiet)
    suite.http(name, ["aria2c", "--no-conf=true", "--enable-dht=false",
                      "--max-tries=1", "--connect-timeout=50",
                      "--file-allocation=none", "--async-dns=false",
                      "--show-console-readout=false", *arguments], **merged)


aria("get", url("/ok"))
aria("query", url("/ok?a=1&b=two"))
aria("chunked", url("/chunked"))
aria("redirect", url("/redirect/2"))
aria("close", url("/close"))
aria("close11", url("/close11"))
aria("big", url("/big"))
aria("bighead", url("/bighead?bytes=6000"))
aria("drip", url("/drip"))
aria("notfound", url("/status/404"), status=3)
aria("broken", url("/status/500"), status=None)
aria("reset", url("/reset"), status=None)
aria("empty", url("/empty-reply"), status=None)
aria("several", "-q", "-j3", "-i", suite.runner.write("list", "".join(
    "%s\n out=file%d\n" % (url("/ok?i=%d" % i), i) for i in range(12))),
     ordered=False, wanted=[want("GET", "/ok?i=%d" % i, 200)
                            for i in range(12)])
aria("dry-run", "--dry-run=true", url("/big"),
     wanted=[want("HEAD", "/big", 200)])


def downloads(base, count, *options):
    """It only fetches: one after the other, each in a file."""
    lines = ["%s\n out=file%d\n" % (base("/ok?i=%d" % i), i)
             for i in range(count)]
    return ["aria2c", "--no-conf=true", "-q", "-j1", "--enable-dht=false",
            "--file-allocation=none", "--async-dns=false", *options,
            "-i", suite.runner.write("list%d" % count, "".join(lines))], (
                numbered([0] * count))


suite.hostile(lambda base: [downloads(base, HOSTILE)],
              per_connection=PER_CONNECTION)
suite.hostile(lambda base: [downloads(base, RESETS, "--max-tries=1")],
              "resets", resets=True, per_connection=PER_CONNECTION)

sys.exit(suite.main())
