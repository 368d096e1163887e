#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""apt's http method: several request heads in one write (pipelining).

A private apt root with a flat repository behind the recording server; nothing
of the machine's own package system is read or changed.
"""
import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from cgi_app import folder
from coverage import HOSTILE, RESETS, HttpSuite, drop, numbered, want
from harness import check

PACKAGES = 24
suite = HttpSuite("apt")
home = suite.runner.home
ROOT = os.path.join(home, "root")
REPOSITORY = os.path.join(home, "www", "repo")


def make_repository():
    os.makedirs(REPOSITORY)
    stanzas = []
    for number in range(PACKAGES):
        content = hashlib.sha256(b"%d" % number).digest() * 700
        name = "shop%02d_1.0_all.deb" % number
        with open(os.path.join(REPOSITORY, name), "wb") as file:
            file.write(content)
        stanzas.append(
            "Package: shop%02d\nVersion: 1.0\nArchitecture: all\n"
            "Maintainer: Nobody <nobody@example.org>\nFilename: ./%s\n"
            "Size: %d\nSHA256: %s\nDescription: test\n" % (
                number, name, len(content),
                hashlib.sha256(content).hexdigest()))
    with open(os.path.join(REPOSITORY, "Packages"), "w") as file:
        file.write("\n".join(stanzas))


def make_root():
    for name in ("etc/apt/apt.conf.d", "etc/apt/preferences.d",
                 "etc/apt/sources.list.d", "etc/apt/trusted.gpg.d",
                 "var/lib/apt/lists/partial", "var/lib/dpkg", "var/log/apt",
                 "var/cache/apt/archives/partial"):
        os.makedirs(os.path.join(ROOT, name), exist_ok=True)
    open(os.path.join(ROOT, "var/lib/dpkg/status"), "w").close()
    with open(os.path.join(ROOT, "etc/apt/sources.list"), "w") as file:
        file.write("deb [trusted=yes] %s ./\n" % suite.server.url("/repo"))
    with open(os.path.join(home, "apt.conf"), "w") as file:
        file.write('Dir "%s";\nDir::State::status "%s/var/lib/dpkg/status";\n'
                   'Dir::Bin::Methods "/usr/lib/apt/methods";\n'
                   'Dir::Bin::solvers "";\nDir::Bin::planners "";\n'
                   'APT::Sandbox::User "root";\nAcquire::Languages "none";\n'
                   'Acquire::Retries "0";\nAPT::Update::Error-Mode "any";\n'
                   % (ROOT, ROOT))


make_repository()
make_root()
suite.server.apps["/repo"] = folder(os.path.join(home, "www"))
APT = {"APT_CONFIG": os.path.join(home, "apt.conf")}
NAMES = ["shop%02d" % i for i in range(PACKAGES)]
quiet = drop(rb"in \d+s \([0-9,.]+ [kM]?B/s\)", rb"Get:\d+ ")


def pipelines(_, records):
    check(len({r["connection"] for r in records}) == 1, "%d connections",
          len({r["connection"] for r in records}))
    count = sum(r["pipelined"] for r in records)
    check(count >= 4, "only %d requests were followed by another before their "
          "answer", count)
    suite.note("%d of %d requests pipelined", count, len(records))


def forget(traced):
    """The lists as before the first update."""
    lists = os.path.join(ROOT, "var/lib/apt/lists")
    for name in os.listdir(lists):
        path = os.path.join(lists, name)
        if os.path.isfile(path):
            os.unlink(path)


@suite.case("update")
def update():
    """Everything is fetched afresh in both runs."""
    for_run = suite.once

    def once(argv, traced, **options):
        forget(traced)
        return for_run(argv, traced, **options)
    suite.once = once
    try:
        suite.run_http(["apt-get", "-q", "update"], env=APT,
                       normalise=quiet, wanted=None)
    finally:
        del suite.once


suite.http("update-again", ["apt-get", "-q", "update"], env=APT,
           normalise=quiet)
suite.http("download", ["apt-get", "-q", "download", *NAMES],
           [want("GET", "/repo/./%s_1.0_all.deb" % n, 200) for n in NAMES],
           env=APT, normalise=quiet, check_bare=pipelines)
suite.http("download-one-by-one",
           ["apt-get", "-q", "-o", "Acquire::http::Pipeline-Depth=0",
            "download", *NAMES],
           [want("GET", "/repo/./%s_1.0_all.deb" % n, 200) for n in NAMES],
           env=APT, normalise=quiet)
suite.http("helper", ["/usr/lib/apt/apt-helper", "download-file",
                      suite.server.url("/big"), "big",
                      "SHA256:" + hashlib.sha256(b"").hexdigest()],
           [want("GET", "/big", 200)], env=APT, status=100,
           normalise=drop(rb"Get:\d+ .*", rb"Fetched .*", rb"\d+% .*",
                          rb"Last modification reported: .*"))
suite.http("helper-several",
           ["/usr/lib/apt/apt-helper", "download-file",
            *[w for n in range(8) for w in (
                suite.server.url("/chunked?n=%d" % n), "file%d" % n, "")]],
           [want("GET", "/chunked?n=%d" % n, 200) for n in range(8)], env=APT,
           normalise=drop(rb"Get:\d+ .*", rb"Fetched .*", rb"\d+% .*"))
suite.http("missing", ["/usr/lib/apt/apt-helper", "download-file",
                       suite.server.url("/status/404"), "file"],
           [want("GET", "/status/404", 404)], env=APT, status=100,
           normalise=drop(rb"Err:\d+ .*", rb"\d+% .*"))


def fetches(base, count, *options):
    """apt's http method, pipelining unless told; it only fetches."""
    return ["/usr/lib/apt/apt-helper", *options, "download-file",
            *[w for i in range(count) for w in (
                base("/ok?i=%d" % i), "file%d" % i, "")]], numbered([0] * count)


lines = drop(rb"(Get|Err|Ign):\d+ .*", rb"Fetched .*", rb"\d+% .*")
suite.hostile(lambda base: [fetches(base, HOSTILE)], env=APT, normalise=lines)
# With others in the pipeline behind it, how many are sent again depends on
# the moment; one by one it does not.
suite.hostile(lambda base: [fetches(base, RESETS, "-o",
                                    "Acquire::http::Pipeline-Depth=0")],
              "resets", resets=True, env=APT, normalise=lines)

sys.exit(suite.main())
