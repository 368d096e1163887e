#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""A real server with tiny buffers behind a relay that reads slowly.

nginx reads heads into 64 bytes and bodies into 512, closes a connection after
11 requests, and passes each on to itself. What curl, wget, node and java send
is compared as the relay saw it.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from coverage import HttpSuite, mixed, numbered, upload
from daemons import nginx_tiny
from harness import PROGRAMS
from hostile import sizes
from tap import Tap

COUNT = 400 if harness.LONG else 20
LARGE = 4 if harness.LONG else 1
suite = HttpSuite("nginx")
home = suite.runner.home
pages = suite.runner.path("pages")
os.mkdir(pages)
with open(os.path.join(pages, "page.txt"), "wb") as page:
    page.write(b"a page of several buffers\n" * 100)
nginx = nginx_tiny(suite.runner, pages)
suite.cleanup(nginx.close)
suite.server.close()
suite.server = Tap(nginx.port, slow=True)
suite.cleanup(suite.server.close)
BASE = "http://127.0.0.1:%d" % suite.server.port
body = suite.runner.write("upload", upload())


def url(path):
    return BASE + path


def case(name, argv, wanted, **options):
    suite.http(name, argv, wanted, timeout_s=300, **options)


def client(name, argv):
    command, wanted = mixed(argv, url, body, COUNT, large=LARGE)
    case(name, command, wanted)


def curl():
    lines = []
    for number, size in enumerate(sizes(COUNT, LARGE)):
        lines += ["next"] if number else []
        lines += ["silent", 'url = "%s"' % url("/ok?i=%d" % number)]
        if size:
            lines += ['data-binary = "@%s"' % suite.sized(size),
                      'header = "Expect:"']
    return ["curl", "-K", suite.runner.write("transfers", "\n".join(lines))]


case("curl", curl(), numbered(sizes(COUNT, LARGE)))
for size in (0, 900, 100_000):
    count = COUNT // 3
    case("wget-%d" % size,
         ["wget", "-q", "--tries=1", "-O", "out"]
         + (["--post-file=" + suite.sized(size)] if size else [])
         + [url("/ok?i=%d" % i) for i in range(count)],
         numbered([size] * count))
client("node-http", ["node", os.path.join(PROGRAMS, "client_http.js")])
if harness.LONG:
    client("node-fetch",
           ["node", os.path.join(PROGRAMS, "client_fetch.mjs")])
subprocess.run(["javac", "-d", home] + [
    os.path.join(PROGRAMS, name) for name in ("HttpUrl.java",
                                              "JavaNetHttp.java")], check=True)
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", home]
if harness.LONG:
    client("java-url", JAVA + ["HttpUrl"])
client("java-net-http", JAVA + ["JavaNetHttp"])

sys.exit(suite.main())
