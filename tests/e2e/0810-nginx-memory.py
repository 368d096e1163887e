#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""nginx serves and calls itself, and its worker's memory stays what it was.

Resident memory after a tenth of the requests and after all of them.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from daemons import Daemon
from harness import BARE_ONLY, COMMAND, check

suite = harness.Suite("nginx-memory")
COUNT = 1_000_000 if harness.LONG else 50_000
MOST_KB = 256

CONF = """
daemon off;
worker_processes 1;
pid {home}/pid;
error_log {home}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {home}/a;
  proxy_temp_path {home}/b;
  fastcgi_temp_path {home}/c;
  uwsgi_temp_path {home}/d;
  scgi_temp_path {home}/e;
  upstream self {{ server 127.0.0.1:{port}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port};
    location /page {{ return 200 page; }}
    location / {{
      proxy_pass http://self/page;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


def make(port, home):
    path = os.path.join(home, "conf")
    with open(path, "w") as file:
        file.write(CONF.format(port=port, home=home))
    run = [COMMAND, "run", "-q", "--file", "/dev/null", "--"]
    return [*([] if BARE_ONLY else run), "nginx", "-p", home, "-e",
            "error.log", "-c", path]


def worker_of(home):
    with open(os.path.join(home, "pid")) as file:
        master = file.read().strip()
    with open("/proc/%s/task/%s/children" % (master, master)) as file:
        pid, = file.read().split()
    return pid


def resident_kb(pid):
    with open("/proc/%s/status" % pid) as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])


def requests(port, count):
    told = subprocess.run(
        ["ab", "-q", "-k", "-c", "10", "-n", str(count),
         "http://127.0.0.1:%d/" % port], capture_output=True, text=True,
        check=True).stdout
    check(re.search(r"Complete requests: +%d\b" % count, told) and
          re.search(r"Failed requests: +0\b", told), "%s", told)


@suite.case("flat")
def _():
    server = Daemon(suite.runner, "nginx", make)
    try:
        pid = worker_of(server.home)
        with open("/proc/%s/maps" % pid) as file:
            check(BARE_ONLY or "libautotrace.so" in file.read(), "not traced")
        requests(server.port, COUNT // 10)
        before = resident_kb(pid)
        requests(server.port, COUNT - COUNT // 10)
        after = resident_kb(pid)
    finally:
        server.close()
    suite.note("%d kB after %d requests, %d kB after %d", before, COUNT // 10,
               after, COUNT)
    check(after <= before + MOST_KB, "%d kB, then %d", before, after)


sys.exit(suite.main())
