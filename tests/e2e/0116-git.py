#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""git over http (git-remote-http on libcurl): clone, fetch, push, ls-remote.

The server is git's own http-backend behind the recording server. Bodies are
gzipped, or chunked when they are long; the requests are made by a helper
process that git starts.
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from cgi_app import cgi
from coverage import HOSTILE, HttpSuite
from harness import check, clean_environment
from hostile import Hostile
from spancheck import check_spans, without_traceparent
from truth_server import TruthServer

suite = HttpSuite("git")
home = suite.runner.home
FIXED = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
         "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
         "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
         "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
         "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"}
SEED = os.path.join(home, "seed")
REPOSITORY = os.path.join(home, "srv", "shop.git")


def git(*arguments, cwd=None):
    subprocess.run(["git", *arguments], cwd=cwd, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=dict(clean_environment(home), **FIXED))


def make_repository():
    git("init", "-q", "-b", "main", SEED)
    for number in range(30):
        with open(os.path.join(SEED, "file%d" % number), "wb") as file:
            file.write(os.urandom(60_000))
        git("add", ".", cwd=SEED)
        git("commit", "-qm", "commit %d" % number, cwd=SEED)
    git("clone", "-q", "--bare", SEED, REPOSITORY)
    git("config", "http.receivepack", "true", cwd=REPOSITORY)


make_repository()
backend = cgi(["git", "http-backend"], dict(
    clean_environment(home), GIT_PROJECT_ROOT=os.path.join(home, "srv"),
    GIT_HTTP_EXPORT_ALL="1", **FIXED))
suite.server.apps["/shop.git"] = backend
URL = suite.server.url("/shop.git")


def run(name, argv, minimum, **options):
    def enough(_, records):
        check(len(records) >= minimum, "%d requests", len(records))
    suite.http(name, argv, env=FIXED, check_bare=enough, collect=False,
               **options)


run("ls-remote", ["git", "ls-remote", URL], 2)
run("clone", ["git", "clone", "-q", URL, "copy"], 3)
run("clone-protocol-v0", ["git", "-c", "protocol.version=0", "clone", "-q",
                          URL, "copy"], 2)
run("clone-shallow", ["git", "clone", "-q", "--depth=1", URL, "copy"], 3)
run("missing", ["git", "clone", "-q", suite.server.url("/none.git"), "copy"],
    1, status=128)


@suite.case("clone-is-whole")
def clone_is_whole():
    """The traced clone passes git's own check and has every file."""
    target = os.path.join(home, "whole")
    traced, records = suite.once(["git", "clone", "-q", URL, target], True,
                                 env=FIXED)
    traced.expect_status(0)
    git("fsck", "--strict", cwd=target)
    for number in range(30):
        name = "file%d" % number
        with open(os.path.join(SEED, name), "rb") as one:
            with open(os.path.join(target, name), "rb") as other:
                check(one.read() == other.read(), "%s differs", name)
    if traced.traced:
        pids = {s["resource"].get("process.pid")
                or s["attributes"].get("process.pid")
                for s in traced.spans()}
        check(len(pids) == 1, "requests of %s processes", pids)


def push(suite, traced, url=URL):
    """A push of 3 MB to a fresh copy of the repository."""
    shutil.rmtree(REPOSITORY)
    git("clone", "-q", "--bare", SEED, REPOSITORY)
    git("config", "http.receivepack", "true", cwd=REPOSITORY)
    work = os.path.join(home, "work")
    shutil.rmtree(work, ignore_errors=True)
    git("clone", "-q", SEED, work)
    with open(os.path.join(work, "large"), "wb") as file:
        file.write(LARGE)
    git("add", ".", cwd=work)
    git("commit", "-qm", "large", cwd=work)
    argv = ["git", "push", "-q", suite.server.url("/shop.git"), "main"]
    result, records = suite.once(argv, traced, env=FIXED, cwd=work,
                                 collect=False)
    result.expect_status(0)
    return result, records, subprocess.run(
        ["git", "rev-parse", "main"], cwd=REPOSITORY, stdout=subprocess.PIPE,
        check=True).stdout


LARGE = os.urandom(3_000_000)


def push_large(suite):
    bare, before, head = push(suite, False)
    traced, after, same = push(suite, True)
    check(head == same, "pushed %s and %s", head, same)
    check(any(r["chunked"] and r["body_bytes"] > 3_000_000 for r in before),
          "no chunked upload")
    check([r["target"] for r in before] == [r["target"] for r in after],
          "other requests")
    check(bare.err == traced.err, "stderr %r, %r", bare.err, traced.err)
    if traced.traced:
        for one, other in zip(before, after):
            check(one["head"] == without_traceparent(other["head"]),
                  "head %r", other["head"])
        check_spans(after, traced.spans())
    suite.totals["requests"] += len(after)
    suite.totals["spans"] += len(traced.spans())


suite.add("push", push_large, suite)


@suite.case("fetch-several")
def fetch_several():
    """Fetches that find nothing new and one that does."""
    work = os.path.join(home, "fetcher")
    git("clone", "-q", URL, work)
    for _ in range(2):
        traced, records = suite.once(["git", "fetch", "-q"], True, env=FIXED,
                                     cwd=work, collect=False)
        traced.expect_status(0)
        check(records, "no request")
        if traced.traced:
            check_spans(records, traced.spans())



# ---- a server that reads slowly ---------------------------------------------

def shell(text, count):
    return ["sh", "-c", "for i in $(seq %d); do %s || exit 1; done" % (
        count, text)], None


def hostile(base):
    """Two requests each, and three; chunked and compressed bodies."""
    count = HOSTILE if harness.LONG else 12
    yield shell("git ls-remote -q " + base("/shop.git"), count * 9 // 20)
    yield shell("git clone -q --depth=1 %s copy$i" % base("/shop.git"),
                -(-count // 30))


suite.hostile(hostile, env=FIXED, collect=False, timeout_s=900)


@suite.case("hostile-push")
def hostile_push():
    with TruthServer(hostile=Hostile(), apps=suite.server.apps) as server:
        push_large(suite.on(server))


sys.exit(suite.main())
