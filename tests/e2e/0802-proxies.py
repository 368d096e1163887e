#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""nginx and haproxy before a server: one unbroken chain.

client -> proxy's server span -> proxy's client span -> server's span -> its
own call, many at once, whether or not the client sends a context. The proxies
run under `autotrace run` with nothing but ordinary configurations, and so does
the server behind them.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
import otlp_decode
from daemons import Daemon
from harness import BARE_ONLY, COMMAND, PROGRAMS, check
from serving import SERVER, Back, ask_all, await_spans, number_of

suite = harness.Suite("proxies")
CLIENT = 3
COUNT, AT_ONCE = (10000, 200) if harness.LONG else (600, 50)

NGINX = """
daemon off;
worker_processes 2;
pid {home}/pid;
error_log {home}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {home}/a;
  proxy_temp_path {home}/b;
  fastcgi_temp_path {home}/c;
  uwsgi_temp_path {home}/d;
  scgi_temp_path {home}/e;
  upstream behind {{ server 127.0.0.1:{behind}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""

HAPROXY = """
defaults
  mode http
  timeout connect 20s
  timeout client 20s
  timeout server 20s
frontend front
  bind 127.0.0.1:{port}
  default_backend behind
backend behind
  server one 127.0.0.1:{behind}
"""


def nginx(path):
    return ["nginx", "-p", os.path.dirname(path), "-e", "error.log", "-c", path]


def haproxy(path):
    return ["haproxy", "-q", "-db", "-f", path]


def context_of(number):
    return "%032x" % (number + 1), "%016x" % (number + 1)


def headers_of(number):
    return {"traceparent": "00-%s-%s-01" % context_of(number)}


def by_number(spans, kind):
    found = {}
    for span in spans:
        if span["kind"] != kind:
            continue
        number = number_of(span)
        check(number not in found, "%s %d twice", kind, number)
        found[number] = span
    check(len(found) == COUNT, "%d of kind %d", len(found), kind)
    return found


def is_below(span, parent):
    return (span["traceId"], span["parentSpanId"]) == \
        (parent["traceId"], parent["spanId"])


def check_chains(proxy, behind, contexts, with_context):
    front, onward = by_number(proxy, SERVER), by_number(proxy, CLIENT)
    served, called = by_number(behind, SERVER), by_number(behind, CLIENT)
    for number in range(COUNT):
        root = front[number]
        if with_context:
            check((root["traceId"], root["parentSpanId"]) ==
                  context_of(number), "%s", root)
        else:
            check(not root.get("parentSpanId"), "%s", root)
        for span, parent in ((onward[number], root),
                             (served[number], onward[number]),
                             (called[number], served[number])):
            check(is_below(span, parent), "%d: %s is not below %s", number,
                  span, parent)
            check("autotrace.not_propagated" not in span["attributes"], "%s",
                  span)
        check(contexts[str(number)] == "00-%s-%s-%02x" % (
            root["traceId"], called[number]["spanId"],
            called[number]["flags"] & 3), "%d: %s", number,
            contexts[str(number)])


def run(name, path, *argv):
    traced = [COMMAND, "run", "-q", "--file", path, "--"]
    return (*([] if BARE_ONLY else traced), *argv)


def add_proxy(name, text, command, with_context):
    @suite.case("%s-%s" % (name, "context" if with_context else "none"))
    def _():
        back = Back()
        home = suite.runner.path("%s-%d" % (name, with_context))
        env = {"OTEL_BSP_SCHEDULE_DELAY": "100"}
        files = [home + ".proxy.jsonl", home + ".behind.jsonl"]
        behind = Daemon(suite.runner, home + ".behind", lambda port, _: run(
            name, files[1], "/usr/bin/python3", "-B",
            os.path.join(PROGRAMS, "serve.py"), "threads", str(port),
            back.url), env)

        def make(port, home):
            path = os.path.join(home, "conf")
            with open(path, "w") as file:
                file.write(text.format(port=port, home=home,
                                       behind=behind.port))
            return run(name, files[0], *command(path))

        try:
            proxy = Daemon(suite.runner, home + ".proxy", make, env)
            try:
                ask_all(proxy.port, range(COUNT), AT_ONCE,
                        headers_of if with_context else lambda number: {})
                for path in () if BARE_ONLY else files:
                    await_spans(path, COUNT)
            finally:
                proxy.close()
        finally:
            behind.close()
            back.close()
        if not BARE_ONLY:
            check_chains(*(otlp_decode.spans_of_file(path) for path in files),
                         back.contexts, with_context)


for with_context in (True, False):
    add_proxy("nginx", NGINX, nginx, with_context)
    add_proxy("haproxy", HAPROXY, haproxy, with_context)

sys.exit(suite.main())
