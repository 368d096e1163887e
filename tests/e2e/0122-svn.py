#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""svn (serf): a head in 39 pieces of one writev, pipelined, WebDAV methods.

The server is Apache with mod_dav_svn behind a recording relay.
"""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HOSTILE, HttpSuite, drop, sort_headers
from daemons import apache_svn
from harness import PATH, check
from spancheck import check_spans
from tap import Tap

FILES = 12
suite = HttpSuite("svn")
home = suite.runner.home
REPOSITORY = os.path.join(home, "repository")


def command(*argv, cwd=None):
    subprocess.run(argv, cwd=cwd, check=True, stdout=subprocess.DEVNULL,
                   env={"PATH": PATH, "HOME": home, "LANG": "C.UTF-8"})


def make_repository():
    source = os.path.join(home, "source")
    os.makedirs(source)
    for number in range(FILES):
        with open(os.path.join(source, "file%d" % number), "wb") as file:
            file.write(os.urandom(20_000))
    command("svnadmin", "create", REPOSITORY)
    command("svn", "-q", "import", source, "file://" + REPOSITORY + "/trunk",
            "-m", "first")
    if os.geteuid() == 0:
        suite.runner.let_others_in()
        for base, folders, names in os.walk(REPOSITORY):
            for name in folders + names:
                shutil.chown(os.path.join(base, name), "www-data", "www-data")
        shutil.chown(REPOSITORY, "www-data", "www-data")


make_repository()
apache = apache_svn(suite.runner, REPOSITORY)
suite.cleanup(apache.close)
suite.server.close()
suite.server = Tap(apache.port)
suite.cleanup(suite.server.close)
URL = "http://127.0.0.1:%d/svn" % suite.server.port
SVN = ["svn", "--non-interactive", "--config-dir", os.path.join(home, "conf")]
steady = drop(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*( [+-]\d{4} \([^)]*\))?")




def steady_head(head):
    """Which svndiff it likes best depends on the latency it measured."""
    return re.sub("svndiff[12];", "svndiff*;", sort_headers(head))


def repeated(text, count):
    return ["sh", "-c", "for i in $(seq %d); do %s || exit 1; done" % (
        count, text)]


def svn(name, *arguments, minimum=1, **options):
    def enough(_, records):
        check(len(records) >= minimum, "%d requests", len(records))
    options.setdefault("normalise", steady)
    suite.http(name, SVN + list(arguments), check_bare=enough, collect=False,
               **options)


svn("info", "info", URL, minimum=1)
svn("list", "list", "-v", URL + "/trunk", minimum=2)
svn("log", "log", "-v", URL, minimum=1)
svn("cat", "cat", URL + "/trunk/file0", minimum=1)
svn("missing", "cat", URL + "/trunk/none", status=1)
# Files are fetched by several connections at once, in no fixed order, and the
# headers and XML attributes of a report come in the order of a random hash.
svn("checkout", "checkout", "-q", URL + "/trunk", "copy", minimum=FILES,
    ordered=False, bodies=False, normalise_head=steady_head)
svn("export", "export", "-q", URL + "/trunk", "copy", minimum=FILES,
    ordered=False, bodies=False, normalise_head=steady_head)


def commit(tap, url, name):
    """A checkout, a change of 3 MB and its commit, all traced."""
    target = os.path.join(home, name)
    command(*SVN, "checkout", "-q", url + "/trunk", target)
    with open(os.path.join(target, name), "wb") as file:
        file.write(os.urandom(3_000_000))
    command(*SVN, "add", "-q", name, cwd=target)
    tap.drain()
    traced, records = suite.on(tap).once(
        SVN + ["commit", "-q", "-m", "a large one"], True, cwd=target,
        collect=False)
    traced.expect_status(0)
    methods = {r["method"] for r in records}
    check({"PUT", "MERGE"} & methods, "methods %s", methods)
    check(max(r["body_bytes"] for r in records) > 3_000_000, "no large body")
    suite.totals["requests"] += len(records)
    if traced.traced:
        suite.totals["spans"] += len(traced.spans())
        check_spans(records, traced.spans())
    fresh = os.path.join(home, "fresh-" + name)
    command(*SVN, "checkout", "-q", URL + "/trunk", fresh)
    with open(os.path.join(target, name), "rb") as one:
        with open(os.path.join(fresh, name), "rb") as other:
            check(one.read() == other.read(), "the committed file differs")


@suite.case("hostile")
def hostile():
    """By a relay that reads slowly: fetches and checkouts until there are
    requests enough, and a commit."""
    before = dict(suite.totals)
    with Tap(apache.port, slow=True) as tap:
        url = "http://127.0.0.1:%d/svn" % tap.port
        for text, each in (("cat %s/trunk/file0", 5),
                           ("checkout -q %s/trunk copy$i", 20)):
            suite.on(tap).run_http(
                repeated(" ".join(SVN) + " " + text % url,
                         HOSTILE // 2 // each + 1),
                ordered=False, bodies=False, normalise_head=steady_head,
                normalise=steady, collect=False, timeout_s=900)
        commit(tap, url, "slowly")
    suite.note_requests("hostile", before)


suite.add("commit", commit, suite.server, URL, "large")

sys.exit(suite.main())
