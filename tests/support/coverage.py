# SPDX-License-Identifier: Apache-2.0
"""The coverage cases: one program, one thing to do, bare and traced.

HttpSuite runs a command twice against the same recording server and checks
the wire, the program's own results, and the spans. SCENARIOS are the things
that every program is asked to do, as far as it can; the clients written for
the tests (tests/e2e/programs) are told by arguments, see plan().
"""
import copy
import functools
import hashlib
import os
import re

import harness
import hostile
from harness import check, compare_results
from hostile import Hostile
from spancheck import (check_attempts, check_links, check_spans,
                       compare_attempts, compare_wire, traceparents)
from truth_server import TruthServer

UPLOAD_BYTES = 3_000_000
MANY = 10_000 if harness.LONG else 200
LONG_TIMEOUT_S = 300
# Requests of each program to a hostile server, and those of 3 MB among them.
HOSTILE = 1000 if harness.LONG else 40
HOSTILE_LARGE = 4 if harness.LONG else 1
RESETS = 240 if harness.LONG else 18


@functools.lru_cache
def upload():
    """3 MB whose every part differs."""
    block = b"".join(b"%07d\n" % i for i in range(UPLOAD_BYTES // 8))
    return block[:UPLOAD_BYTES]


UPLOAD_SHA256 = hashlib.sha256(upload()).hexdigest()


def want(method, target, status, body=None):
    return (method, target, status, body)


# scenario -> the requests that must arrive, in this order. None: whatever
# comes (a client may or may not try again), but at least one.
SCENARIOS = {
    "get": [want("GET", "/ok", 200)],
    "query": [want("GET", "/ok?a=1&b=two", 200)],
    "post": [want("POST", "/ok", 200, UPLOAD_BYTES)],
    "put": [want("PUT", "/ok", 200, UPLOAD_BYTES)],
    "smallpost": [want("POST", "/ok", 200, 12)],
    "keepalive": [want("GET", "/ok?i=%d" % i, 200) for i in range(5)],
    "head": [want("HEAD", "/ok", 200)],
    "nocontent": [want("GET", "/204", 204)],
    "notmodified": [want("GET", "/304", 304)],
    "redirect": [want("GET", "/redirect/2", 302),
                 want("GET", "/redirect/1?as=302", 302),
                 want("GET", "/ok", 200)],
    "chunked": [want("GET", "/chunked", 200)],
    "trailer": [want("GET", "/chunked?trailer=1&extension=1", 200)],
    "upload": [want("POST", "/ok", 200, UPLOAD_BYTES)],
    "expect": [want("POST", "/100", 200, UPLOAD_BYTES)],
    "hints": [want("GET", "/103", 200)],
    "close": [want("GET", "/close", 200)],
    "close11": [want("GET", "/close11", 200)],
    "big": [want("GET", "/big", 200)],
    "bighead": [want("GET", "/bighead?bytes=6000", 200)],
    "drip": [want("GET", "/drip", 200)],
    "slow": [want("GET", "/slow?ms=150", 200)],
    "notfound": [want("GET", "/status/404", 404)],
    "broken": [want("GET", "/status/500", 500)],
    "delete": [want("DELETE", "/ok", 200)],
    "options": [want("OPTIONS", "/ok", 200)],
    "patch": [want("PATCH", "/ok", 200, 12)],
    "propfind": [want("PROPFIND", "/ok", 200)],
    "truncated": None,
    "truncchunk": None,
    "reset": None,
    "midreset": None,
    "empty": None,
    "early": None,
    "many": [want("GET", "/ok?i=%d" % i, 200) for i in range(MANY)],
    "parallel": [want("GET", "/ok?i=%d" % i, 200) for i in range(40)],
}
UNORDERED = {"parallel"}
# What is asked for in those that have no fixed list.
BROKEN = {
    "truncated": ("GET", "/truncated"),
    "truncchunk": ("GET", "/truncated/chunked"),
    "reset": ("GET", "/reset"),
    "midreset": ("GET", "/reset/mid"),
    "empty": ("GET", "/empty-reply"),
    "early": ("POST", "/early"),
}
BODIES = {"post": "upload", "put": "upload", "early": "upload",
          "smallpost": "small", "patch": "small", "upload": "chunked",
          "expect": "expect"}
# For a client that takes a 103 for the answer: it may leave before the 200.
LEAVES_AT_HINTS = {"expected": lambda record: {
    "http.response.status_code": {record["status"], None}}}
# All that a client program is asked to do unless it cannot.
STANDARD = [s for s in SCENARIOS]
# Which causes a span may give when the server breaks off in these ways.
FAULTS = {
    "truncated": {"response_truncated"},
    "truncchunk": {"response_truncated"},
    "reset": {"connection_reset"},
    "midreset": {"connection_reset"},
    "empty": {"response_truncated"},
    "early": {"broken_pipe", "connection_reset", "413"},
}
CHUNKED_UPLOADS = {"upload"}
EXPECTS = {"expect"}
ONE_CONNECTION = {"keepalive"}


def seen(record):
    return (record["method"], record["target"], record["status"],
            record["body_bytes"])


def check_requests(records, wanted, ordered=True):
    """Did the program do what the case means it to do?"""
    if wanted is None:
        check(records, "no request arrived")
        return
    have = [seen(r) for r in records]
    need = [(m, t, s, b or 0) for m, t, s, b in wanted]
    if not ordered:
        have, need = sorted(have, key=str), sorted(need, key=str)
    check(have == need, "the server saw %d requests, expected %d\nseen:     "
          "%s\nexpected: %s", len(have), len(need), have[:12], need[:12])


class HttpSuite(harness.Suite):
    """A suite with a truth server of its own."""

    def __init__(self, name, server=None, **options):
        super().__init__(name)
        harness.raise_fd_limit()
        self.server = server or TruthServer(**options)
        self.cleanup(self.server.close)
        self.totals = {"requests": 0, "spans": 0, "resets": 0}

    def main(self):
        status = super().main()
        if self.totals["requests"]:
            print("%s: %d requests, %d spans" % (
                self.name, self.totals["requests"], self.totals["spans"]))
        return status

    def sized(self, size):
        """A file of so many bytes."""
        path = self.runner.path("bytes%d" % size)
        if not os.path.exists(path):
            self.runner.write("bytes%d" % size, upload()[:size])
        return path

    def once(self, argv, traced, idle_ok=False, **options):
        self.server.clear()
        result = self.runner.run(argv, traced=traced, **options)
        self.server.drain()
        return result, self.server.records()

    def http(self, name, argv, wanted=None, **options):
        """Add a case; see run_http for the options."""
        self.add(name, self.run_http, argv, wanted, **options)

    def run_http(self, argv, wanted=None, ordered=True, expected=None,
                 faults=None, normalise=None, normalise_head=None,
                 status=0, check_bare=None, check_traced=None, bodies=True,
                 **options):
        """One command bare and traced.

        wanted          requests the server must see (None: any, at least one)
        ordered         False where several connections race
        expected        see check_spans
        normalise       f(bytes) on outputs and files of the program
        normalise_head  f(str) on each request head
        status          the program's exit status (None: any, but the same)
        check_bare      f(result, records), extra checks on the bare run
        check_traced    f(result, records, spans)
        bodies          False where how much of a body is sent varies
        """
        bare, before = self.once(argv, False, **options)
        if status is not None:
            bare.expect_status(status)
        check_requests(before, wanted, ordered)
        for record in before:
            check(not traceparents(record), "a traceparent in a bare run")
        if check_bare:
            check_bare(bare, before)
        traced, after = self.once(argv, True, **options)
        compare_results(bare, traced, normalise)
        self.totals["requests"] += len(after)
        compare_wire(before, after, ordered, normalise_head, bodies,
                     injected=traced.traced)
        if not traced.traced:
            return
        spans = traced.spans()
        self.totals["spans"] += len(spans)
        check_spans(after, spans, (traced.start_ns, traced.end_ns), expected,
                    faults)
        check_links(after)
        if check_traced:
            check_traced(traced, after, spans)

    def on(self, server):
        """This suite's machinery, on another server."""
        other = copy.copy(self)
        other.server = server
        return other

    def slow_reader(self, argv_for, method="POST", **options):
        """3 MB to a server that takes them in small sips: short writes.

        argv_for(server) is the command.
        """
        def run():
            with TruthServer(rcvbuf=4096, read_step=8192,
                             read_pause_ms=1) as server:
                self.on(server).run_http(
                    argv_for(server), [want(method, "/ok", 200, UPLOAD_BYTES)],
                    **options)
        self.add("slow-reader", run)

    def hostile(self, commands, name="hostile", per_connection=None,
                resets=False, **options):
        """The commands against a server that reads slowly (hostile.py).

        commands(url) gives (argv, wanted) or (argv, wanted, options) for each;
        with resets=True the wanted are not looked at: what a client tries
        again is its own affair, as long as the bare one does the same.
        """
        def run():
            behaviour = Hostile(hostile.RESETS if resets else None,
                                per_connection)
            before = dict(self.totals)
            case = HttpSuite.run_resets if resets else HttpSuite.run_http
            with TruthServer(hostile=behaviour, apps=self.server.apps
                             ) as server:
                for argv, wanted, *more in commands(server.url):
                    merged = {"timeout_s": LONG_TIMEOUT_S, **options}
                    merged.update(*more)
                    case(self.on(server), argv, wanted, **merged)
            check(not resets or self.totals["resets"] > before["resets"],
                  "no request met a reset")
            self.note_requests(name, before)
        self.add(name, run)

    def note_requests(self, name, before):
        """A case that gets here has found no difference."""
        self.note("%s: %d requests, %d spans, 0 differences", name,
                  self.totals["requests"] - before["requests"],
                  self.totals["spans"] - before["spans"])

    def run_resets(self, argv, _, normalise=None, normalise_head=None,
                   ordered=True, in_pieces=False, **options):
        """Some requests meet a reset: as many attempts as bare, each a span
        (in_pieces: see check_attempts)."""
        bare, before = self.once(argv, False, **options)
        self.totals["resets"] += sum(bool(r["fault"]) for r in before)
        traced, after = self.once(argv, True, **options)
        self.totals["requests"] += len(after)
        compare_attempts(before, after, ordered, normalise_head,
                         injected=traced.traced)
        compare_results(bare, traced, normalise)
        if traced.traced:
            spans = traced.spans()
            self.totals["spans"] += len(spans)
            check_attempts(after, spans, (traced.start_ns, traced.end_ns),
                           in_pieces)

    def program(self, argv, scenarios, **overrides):
        """The standard scenarios, for a client from tests/e2e/programs.

        overrides: scenario=dict(...) of run_http options.
        """
        body = self.runner.write("upload", upload())
        for scenario in scenarios:
            options = scenario_options(scenario)
            options.update(overrides.get(scenario, {}))
            self.http(scenario, argv + plan(self.server.url(""), scenario,
                                            body), **options)
        more = {key: value for key, value in overrides.get("post", {}).items()
                if key in ("env", "normalise_head")}
        self.slow_reader(lambda server: argv + plan(server.url(""), "post",
                                                    body), **more)
        self.hostile(lambda url: [mixed(argv, url, body, HOSTILE)],
                     per_connection=hostile.PER_CONNECTION,
                     **dict(more, **overrides.get("hostile", {})))
        self.hostile(lambda url: [mixed(argv, url, body, RESETS, True)],
                     "resets", resets=True,
                     per_connection=hostile.PER_CONNECTION,
                     **dict(more, **overrides.get("resets", {})))


def mixed(argv, url, body_file, count, small=False, large=HOSTILE_LARGE):
    """A client's command for count requests of all sizes, and what must
    arrive. BODY is then sizes=N,N,...: request i is a GET when its size is 0,
    else a POST of so many bytes of FILE; an error is printed with its target.
    """
    chosen = hostile.sizes(count, 0 if small else large, small)
    return (argv + [url(""), "POST", "/ok",
                    "sizes=" + ",".join(map(str, chosen)), str(count),
                    "serial", body_file], numbered(chosen))


def numbered(chosen, first=0):
    return [want("POST" if size else "GET", "/ok?i=%d" % i, 200, size)
            for i, size in enumerate(chosen, first)]


def scenario_options(scenario):
    options = {"wanted": SCENARIOS[scenario],
               "ordered": scenario not in UNORDERED,
               "faults": FAULTS.get(scenario),
               "check_bare": scenario_check(scenario),
               "bodies": scenario != "early"}
    if scenario == "many":
        options["timeout_s"] = LONG_TIMEOUT_S
    return options


def plan(base, scenario, body_file):
    """A scenario as arguments: BASE METHOD PATH BODY COUNT MODE FILE.

    BODY   none; small (12 bytes); upload (FILE, with its length); chunked
           (FILE, in chunks); expect (upload, with Expect: 100-continue);
           sizes=N,N,... (see mixed())
    COUNT  requests to make; beyond one, ?i=N is appended to PATH
    MODE   serial (one connection where it can be kept) or parallel
    A client prints a line for each answer: status, length, digest; or `error`.
    """
    wanted = SCENARIOS[scenario] or [want(*BROKEN[scenario], None)]
    method, path = wanted[0][0], wanted[0][1]
    if len(wanted) > 1:
        path = path.partition("?i=")[0]
    count = 1 if scenario == "redirect" else len(wanted)
    kind = BODIES.get(scenario, "none")
    mode = "parallel" if scenario == "parallel" else "serial"
    return [base, method, path, kind, str(count), mode, body_file]


def scenario_check(scenario):
    """Proof that the bare run did what the scenario's name says."""
    def run(_, records):
        if scenario in CHUNKED_UPLOADS:
            check(all(r["chunked"] for r in records), "no chunked upload")
        if scenario in EXPECTS:
            check(any(n.lower() == "expect" for n, _ in records[0]["headers"]),
                  "no Expect header")
        if scenario in ONE_CONNECTION:
            check(len({r["connection"] for r in records}) == 1,
                  "not one connection: %s",
                  [r["connection"] for r in records])
        for record in records:
            if record["body_bytes"] == UPLOAD_BYTES:
                check(record["body_sha256"] == UPLOAD_SHA256,
                      "not the upload's bytes")
    return run


def drop(*patterns):
    """A normaliser that blanks what differs between any two runs."""
    compiled = [re.compile(p) for p in patterns]

    def run(data):
        for pattern in compiled:
            data = pattern.sub(b"*", data)
        return data
    return run


def sort_headers(head):
    """For programs that keep headers in a randomised hash."""
    first, *rest = head.split("\r\n")
    return "\r\n".join([first] + sorted(rest))
