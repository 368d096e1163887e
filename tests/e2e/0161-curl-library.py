#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""Programs that use libcurl's handles in all the ways there are: one span for
each request that the server saw, with what libcurl knows of it; results,
callbacks and what the program can ask for are those of a run without us."""
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import want
from harness import BUILD, check, compare_results
from spancheck import (FIRST_BYTE, PHASES, RESENT, TRACEPARENT, client_spans,
                       compare_wire, traceparents)
from tls import TlsSuite
from truth_server import TruthServer

CLIENT = os.path.join(BUILD, "programs", "curl_client")
ERROR = 2


# --- what the server does besides the usual ---

def wait(exchange):
    """No answer: until the client has had enough."""
    exchange.read_body()
    exchange.close = True
    exchange.record["fault"] = "no answer"
    sock = exchange.connection.socket
    sock.settimeout(20)
    try:
        while sock.recv(4096):
            pass
    except OSError:
        pass


def digest(exchange):
    exchange.read_body()
    if exchange.request.get("authorization").startswith("Digest "):
        return exchange.answer(200, b"welcome\n")
    return exchange.answer(401, b"who?\n", [
        ("WWW-Authenticate", 'Digest realm="truth", nonce="1", qop="auth"')])


def second_dies(exchange):
    """A connection's second request finds it closed."""
    exchange.read_body()
    if exchange.record["request"] == 1:
        return exchange.answer(200, b"once\n")
    exchange.record["fault"] = "closed"
    exchange.close = True
    return None


def away(exchange):
    exchange.read_body()
    exchange.answer(302, b"", [("Location", "http://foreign.example.com:%d/ok"
                                % exchange.connection.server.port)])


APPS = {"/wait": wait, "/digest": digest, "/second-dies": second_dies,
        "/away": away}


# --- a run: plain, TLS 1.2, TLS 1.3 ---

class CurlSuite(TlsSuite):
    def all_ways(self, name, mode, paths, wanted, before=(), resent=None,
                 seen=None, server_options=None, **options):
        """curl_client MODE PATHS; resent: {target: resend_count of it}, else
        none; seen(record): has libcurl something to say of it? None: always."""
        ways = {"plain": None, **self.contexts}
        for way, context in ways.items():
            def run(context=context):
                with TruthServer(tls=context, apps=APPS,
                                 **server_options or {}) as server:
                    argv = [CLIENT, "-c", self.cert, *before, mode,
                            *[server.url(path) for path in paths]]
                    self.on(server).run_http(
                        argv, wanted, check_traced=checks(resent or {}, seen),
                        **options)
            self.add("%s-%s" % (name, way), run)


def by_request(records, spans):
    """Each request and its span."""
    ids = {span["spanId"]: span["attributes"] for span in spans}
    return [(record, ids[TRACEPARENT.fullmatch(
        traceparents(record)[0]).group(2)]) for record in records]


def checks(resent, seen):
    def check_traced(_, records, spans):
        for record, attributes in by_request(records, spans):
            check(attributes.get(RESENT) == resent.get(record["target"]),
                  "%s: resend_count %r", record["target"],
                  attributes.get(RESENT))
            if seen and not seen(record):
                continue
            check(FIRST_BYTE in attributes or record["status"] is None,
                  "%s: libcurl's part is missing: %s", record["target"],
                  attributes)
            check(PHASES[1] in attributes or record["request"] > 1,
                  "%s: on a new connection: %s", record["target"], attributes)
    return check_traced


suite = CurlSuite("curl-library")


def many(count, path="/ok?i=%d"):
    return [want("GET", path % i, 200) for i in range(count)]


suite.all_ways("easy", "easy", ["/ok?i=0", "/ok?i=1", "/status/404"],
               many(2) + [want("GET", "/status/404", 404)])
for mode in ("multi", "wait", "socket", "all"):
    suite.all_ways(mode, mode, ["/ok?i=%d"], many(30), before=["-n", "30"],
                   ordered=False)
suite.all_ways("thousand", "multi", ["/ok?i=%d"], many(1000),
               before=["-n", "1000"], ordered=False, timeout_s=120)
suite.all_ways("thousand-socket", "socket", ["/ok?i=%d"], many(1000),
               before=["-n", "1000"], ordered=False, timeout_s=120)
suite.all_ways("share", "share", ["/ok?i=%d"], many(3), before=["-n", "3"])
suite.all_ways("dup", "dup", ["/ok"], [want("GET", "/ok", 200)] * 3,
               before=["-p"])
suite.all_ways("reset", "reset", ["/ok"], [want("GET", "/ok", 200)] * 2,
               before=["-p"])
suite.all_ways("unused", "unused", ["/ok"], [want("GET", "/ok", 200)],
               before=["-p"])
suite.all_ways("moved", "moved", ["/ok?i=%d"], many(4), before=["-n", "4"])
suite.all_ways("threads", "threads", ["/ok?i=%d"], many(40),
               before=["-n", "40"], ordered=False)
suite.all_ways("nested", "nested", ["/ok?i=0", "/ok?i=1"], many(2),
               ordered=False)
suite.all_ways("kept", "kept", ["/ok"], [want("GET", "/ok", 200)] * 2)
suite.all_ways("own-header", "multi", ["/ok"], [want("GET", "/ok", 200)],
               before=["-H", "X-Own: header"])

TWICE = [want("GET", "/redirect/2", 302),
         want("GET", "/redirect/1?as=302", 302), want("GET", "/ok", 200)]
RESENT_TWICE = {"/redirect/1?as=302": 1, "/ok": 2}
for mode in ("easy", "socket"):
    suite.all_ways("redirect-" + mode, mode, ["/redirect/2"], TWICE,
                   before=["-L"], resent=RESENT_TWICE)
    suite.all_ways("own-callback-" + mode, mode, ["/redirect/2"], TWICE,
                   before=["-L", "-p"], resent=RESENT_TWICE)
    suite.all_ways("own-callback-gives-up-" + mode, mode, ["/redirect/2"],
                   TWICE[:1], before=["-L", "-a", "2"])
suite.all_ways("fails-on-404", "easy", ["/status/404"],
               [want("GET", "/status/404", 404)], before=["-f"])


@suite.case("digest")
def digest_rounds():
    """The same URL twice: the second round comes after the first."""
    for context in (None, suite.contexts["tls13"]):
        with TruthServer(tls=context, apps=APPS) as server:
            suite.on(server).run_http(
                [CLIENT, "-c", suite.cert, "-u", "me:secret", "easy",
                 server.url("/digest")],
                [want("GET", "/digest", 401), want("GET", "/digest", 200)],
                normalise_head=lambda head: re.sub("cnonce.*", "", head),
                check_traced=lambda _, records, spans: check(
                    [a.get(RESENT) for _, a in by_request(records, spans)]
                    == [None, 1], "resend counts"))


@suite.case("retried")
def retried():
    """A kept connection is closed at its next request: made again."""
    def check_traced(_, records, spans):
        counts = [a.get(RESENT) for _, a in by_request(records, spans)]
        check(counts == [None, None, 1], "resend counts %s", counts)

    with TruthServer(apps=APPS) as server:
        suite.on(server).run_http(
            [CLIENT, "-n", "2", "easy", server.url("/second-dies?i=%d")],
            [want("GET", "/second-dies?i=0", 200),
             want("GET", "/second-dies?i=1", None),
             want("GET", "/second-dies?i=1", 200)],
            faults={"response_truncated"}, check_traced=check_traced)


# --- failures ---

def failed(code):
    return lambda record: {"error.type": code, "status": ERROR,
                           "http.response.status_code": None}


for mode in ("easy", "multi", "socket"):
    suite.all_ways("timeout-" + mode, mode, ["/wait"],
                   [want("GET", "/wait", None)], before=["-t", "300"],
                   expected=failed("operation_timedout"))
suite.all_ways("empty", "easy", ["/empty-reply"],
               [want("GET", "/empty-reply", None)],
               expected=failed("response_truncated"))
suite.all_ways("reset-by-server", "easy", ["/reset"],
               [want("GET", "/reset", None)],
               expected=failed("connection_reset"))
# Left on purpose: no failure (HTTP-13).
suite.all_ways("removed", "removed", ["/wait", "/ok?i=0", "/ok?i=1"],
               [want("GET", "/wait", None)] + many(2), ordered=False,
               expected=lambda record: {
                   "error.type": None, "status": 0,
                   "http.response.status_code": None}
               if record["target"] == "/wait" else None)


def one_span(argv, code, name="GET", **attributes):
    """The same bare and traced, and one span of one that never was sent."""
    bare = suite.runner.run(argv)
    traced = suite.runner.run(argv, traced=True)
    compare_results(bare, traced)
    spans = traced.spans()
    check(len(spans) == 1, "%d spans: %s", len(spans), spans)
    span = spans[0]
    check(span["name"] == name and span["status"] == ERROR, "%s", span)
    attributes["error.type"] = code
    for key, value in attributes.items():
        check(span["attributes"].get(key) == value, "%s: %s", key, span)
    return span


@suite.case("not-trusted")
def not_trusted():
    with TruthServer(tls=suite.contexts["tls13"]) as server:
        for mode in ("easy", "multi", "socket"):
            span = one_span(
                [CLIENT, mode, server.url("/ok?token=secret")],
                "peer_failed_verification",
                **{"http.request.method": "GET", "server.port": server.port,
                   "server.address": server.host,
                   "url.full": server.url("/ok?token=REDACTED")})
            check("autotrace.propagated" not in span["attributes"],
                  "there was no request: %s", span)


@suite.case("silent-handshake")
def silent_handshake():
    """Connected, and no word of TLS comes back."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = "https://127.0.0.1:%d/ok" % listener.getsockname()[1]
        for mode in ("easy", "socket"):
            one_span([CLIENT, "-t", "300", mode, url], "operation_timedout",
                     **{"url.full": url})


@suite.case("refused")
def refused():
    """The connect's own span says it; there is no other."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for mode in ("easy", "multi"):
            one_span([CLIENT, mode, "http://127.0.0.1:%d/" %
                      closed.getsockname()[1]], "connection_refused",
                     "connect")


@suite.case("not-http")
def not_http():
    path = suite.runner.write("file", "hello\n")
    for mode in ("easy", "multi"):
        argv = [CLIENT, mode, "file://" + path]
        bare = suite.runner.run(argv)
        traced = suite.runner.run(argv, traced=True)
        compare_results(bare, traced)
        check(not traced.spans(), "spans %s", traced.spans())


# --- where our header goes ---

@suite.case("foreign-host")
def foreign_host():
    """A redirect away from here: a request and a span of its own, and no
    header of ours, in the handle's list neither."""
    with TruthServer(apps=APPS) as server:
        argv = [CLIENT, "-L", "-H", "X-Own: 1", "-R",
                "foreign.example.com:%d:127.0.0.1" % server.port, "easy",
                server.url("/away"), server.url("/ok")]
        other = suite.on(server)
        bare, before = other.once(argv, False)
        traced, after = other.once(
            argv, True, env={"AUTOTRACE_PROPAGATE_TO": "127.0.0.1"})
        compare_results(bare, traced)
        check([len(traceparents(r)) for r in after] == [1, 0, 1],
              "headers of ours: %s", after)
        compare_wire(before, after, injected=False,
                     normalise=lambda head: "".join(
                         line for line in head.splitlines(True)
                         if not line.startswith("traceparent:")))
        spans = client_spans(traced.spans())
        check(len(spans) == 3, "%d spans", len(spans))
        away_from_here = [s["attributes"] for s in spans
                          if s["attributes"].get("server.address")
                          == "foreign.example.com"]
        check(len(away_from_here) == 1, "%s", spans)
        check(away_from_here[0]["autotrace.propagated"] is False
              and away_from_here[0][RESENT] == 1, "%s", away_from_here)


# --- slowly ---

suite.all_ways("slow-reader", "easy", ["/ok"],
               [want("POST", "/ok", 200, 60_000)],
               before=["-d", "60000", "-H", "Expect:"],
               server_options={"rcvbuf": 2048, "read_step": 1024,
                               "read_pause_ms": 10})


@suite.case("parallel-curl")
def parallel_curl():
    for context in (None, suite.contexts["tls13"]):
        with TruthServer(tls=context) as server:
            suite.on(server).run_http(
                ["curl", "-sS", "--http1.1", "-Z", "-o", "out#1",
                 server.url("/ok?i=[0-39]")], many(40), ordered=False,
                normalise=lambda data: data.split(b"\r")[0],
                check_traced=checks({}, None))


sys.exit(suite.main())
