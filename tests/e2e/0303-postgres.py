#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""psql and a private PostgreSQL cluster, both traced, over TCP and UNIX."""
import glob
import os
import pwd
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import otlp_decode
from daemons import Daemon
from harness import PATH, as_user, check
from looks import BystanderSuite
from timing import preload

BIN = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
USER = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
AS = USER if os.geteuid() == 0 else None
suite = BystanderSuite("postgres")
home = suite.runner.path("pg")
spans = os.path.join(home, "server.jsonl")


def make_cluster():
    suite.runner.let_others_in()
    os.mkdir(home)
    if AS:
        shutil.chown(home, AS, AS)
    subprocess.run([os.path.join(BIN, "initdb"), "-D", home + "/data", "-A",
                    "trust", "-U", USER, "--no-sync", "--locale=C.UTF-8"],
                   check=True, stdout=subprocess.DEVNULL, cwd=home,
                   env={"PATH": PATH, "HOME": home}, **as_user(AS))


def make(port, _):
    return [os.path.join(BIN, "postgres"), "-D", home + "/data", "-p",
            str(port), "-h", "127.0.0.1", "-k", home, "-c", "fsync=off"]


make_cluster()
server = Daemon(suite.runner, "pg", make, preload(AUTOTRACE_FILE=spans), AS)
suite.cleanup(server.close)
TCP = ["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(server.port), "-U",
       USER, "postgres"]
UNIX = ["psql", "-X", "-q", "-h", home, "-p", str(server.port), "-U", USER,
        "postgres"]
LIKE_HTTP = "E'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'"
rows = b"".join(b"%d\tGET /%d HTTP/1.1\n" % (i, i) for i in range(50_000))


def both(name, *arguments, **options):
    suite.same(name + "-tcp", TCP + list(arguments), **options)
    suite.same(name + "-unix", UNIX + list(arguments), **options)


both("select", "-c", "select 1")
both("series", "-c", "select * from generate_series(1, 20000)")
both("like-http", "-c", "select " + LIKE_HTTP)
both("error", "-c", "select nonsense", status=1)
both("copy", "-c", "create temp table t (a int, b text)", "-c",
     "copy t from stdin", "-c", "select count(*), max(b) from t", stdin=rows)
both("copy-out", "-c", "copy (select i, md5(i::text) from generate_series("
     "1, 50000) i) to stdout")
both("script", stdin=b"".join(b"select %d, repeat('x', 1000);\n" % i
                              for i in range(200)))


@suite.case("server-has-no-span")
def server_silent():
    check(not os.path.exists(spans) or otlp_decode.spans_of_file(spans) == [],
          "the server made spans")


sys.exit(suite.main())
