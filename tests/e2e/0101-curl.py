#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""curl (libcurl over plain sockets): send and recv, non-blocking."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import (FAULTS, HOSTILE, HOSTILE_LARGE, MANY, RESETS, SCENARIOS,
                      UPLOAD_BYTES, HttpSuite, numbered, upload, want)
from hostile import PER_CONNECTION, sizes
from harness import check
from spancheck import traceparents
from truth_server import TruthServer

suite = HttpSuite("curl")
server = suite.server
body = suite.runner.write("upload", upload())
url = server.url
small = "hello world!"


def curl(*arguments):
    return ["curl", "-sS", "--max-time", "50", *arguments]


def plain(name, *arguments, **options):
    """A scenario of the common list by name."""
    options.setdefault("faults", FAULTS.get(name))
    suite.http(name, curl(*arguments), SCENARIOS.get(name), **options)


plain("get", url("/ok"))
plain("query", url("/ok?a=1&b=two"))
plain("post", "--data-binary", "@" + body, "-H", "Expect:", url("/ok"))
plain("smallpost", "-d", small, url("/ok"))
plain("put", "-T", body, "-H", "Expect:", url("/ok"))
plain("keepalive", *[url("/ok?i=%d" % i) for i in range(5)])
plain("head", "-I", url("/ok"))
plain("nocontent", url("/204"))
plain("notmodified", "-H", 'If-None-Match: "truth"', url("/304"))
plain("redirect", "-L", url("/redirect/2"))
plain("chunked", url("/chunked"))
plain("trailer", "-i", url("/chunked?trailer=1&extension=1"))
plain("upload", "-X", "POST", "-T", body, "-H", "Expect:",
      "-H", "Transfer-Encoding: chunked", url("/ok"))
plain("expect", "--data-binary", "@" + body, "-H", "Expect: 100-continue",
      url("/100"))
plain("hints", "-i", url("/103"))
suite.http("hints-apart", curl("-i", url("/103?apart=1")),
           [want("GET", "/103?apart=1", 200)])
plain("close", url("/close"))
plain("close11", url("/close11"))
plain("big", url("/big"))
plain("bighead", "-i", url("/bighead?bytes=6000"))
plain("drip", url("/drip"))
plain("slow", url("/slow?ms=150"))
plain("notfound", url("/status/404"))
plain("broken", "-f", url("/status/500"), status=22)
plain("delete", "-X", "DELETE", url("/ok"))
plain("options", "-X", "OPTIONS", url("/ok"))
plain("patch", "-X", "PATCH", "-d", small, url("/ok"))
plain("propfind", "-X", "PROPFIND", url("/ok"))
plain("truncated", url("/truncated"), status=18)
plain("truncchunk", url("/truncated/chunked"), status=18)
plain("reset", url("/reset"), status=56)
plain("midreset", url("/reset/mid"), status=None)
plain("empty", url("/empty-reply"), status=52)
plain("early", "--data-binary", "@" + body, "-H", "Expect:", url("/early"),
      bodies=False, status=None, normalise=lambda data: b"")

suite.http("bigger-head", curl("-i", url("/bighead?bytes=60000")),
           [want("GET", "/bighead?bytes=60000", 200)])
suite.http("http10", curl("--http1.0", url("/ok"), url("/ok")),
           [want("GET", "/ok", 200)] * 2)
suite.http("redirect-post", curl("-L", "-d", small,
                                 url("/redirect/1?as=307")),
           [want("POST", "/redirect/1?as=307", 307, 12),
            want("POST", "/ok", 200, 12)])
suite.http("expectation-failed",
           curl("--data-binary", "@" + body, url("/417")),
           [want("POST", "/417", 417)])
suite.http("many-headers", curl(*["-HX-H%d: %s" % (i, "v" * 100)
                                  for i in range(60)], url("/ok")),
           [want("GET", "/ok", 200)])
suite.http("chunked-both", curl("-X", "POST", "-T", "-", "-H", "Expect:",
                                url("/chunked")),
           [want("POST", "/chunked", 200, UPLOAD_BYTES)], stdin=upload())
suite.http("many", curl(*[url("/ok?i=%d" % i) for i in range(MANY)])
           if MANY < 1000 else curl(url("/ok?i=[0-%d]" % (MANY - 1))),
           SCENARIOS["many"], timeout_s=300)
suite.http("parallel", curl("-Z", "--parallel-max", "8", "-o", "part_#1",
                            url("/ok?i=[0-39]")),
           SCENARIOS["parallel"], ordered=False,
           normalise=lambda d: d.split(b"\r")[0])


# ---- what the URL says and what may be told of it ------------------------

def url_of(text):
    return lambda _: {"url.full": text}


suite.http("credentials", curl("-u", "me:pass", url("/auth")),
           [want("GET", "/auth", 200)])
suite.http("credentials-asked", curl("--anyauth", "-u", "me:p", url("/auth")),
           [want("GET", "/auth", 401), want("GET", "/auth", 200)])
suite.http("secret-query",
           curl(url("/ok?color=blue&sig=s&token=t&x=1&password=&code")),
           [want("GET", "/ok?color=blue&sig=s&token=t&x=1&password=&code",
                 200)],
           expected=url_of(url("/ok?color=blue&sig=REDACTED&token=REDACTED"
                               "&x=1&password=REDACTED&code")))
suite.http("signed-query",
           curl(url("/ok?X-Amz-Signature=a&X-Amz-Date=1&SIG=b")),
           [want("GET", "/ok?X-Amz-Signature=a&X-Amz-Date=1&SIG=b", 200)],
           expected=url_of(url("/ok?X-Amz-Signature=REDACTED&X-Amz-Date=1"
                               "&SIG=b")))
suite.http("localhost", curl("-4", url("/ok", host="localhost")),
           [want("GET", "/ok", 200)])
suite.http("other-host", curl("-H", "Host: shop.internal:81", url("/ok")),
           [want("GET", "/ok", 200)])
suite.http("proxy", curl("-x", url(""), "http://origin.test:8080/ok"),
           [want("GET", "http://origin.test:8080/ok", 200)])


# ---- other ways to the server --------------------------------------------

@suite.case("ipv6")
def ipv6():
    with TruthServer(host="::1") as six:
        suite.on(six).run_http(
            curl(six.url("/ok"), six.url("/204")),
            [want("GET", "/ok", 200), want("GET", "/204", 204)])


suite.slow_reader(lambda other: curl("--data-binary", "@" + body, "-H",
                                     "Expect:", other.url("/ok")))


@suite.case("unix-socket")
def unix_socket():
    path = suite.runner.path("socket")
    with TruthServer(unix=path) as local:
        suite.on(local).run_http(
            curl("--unix-socket", path, "http://box.local/ok"),
            [want("GET", "/ok", 200)],
            expected=lambda _: {"network.peer.address": path,
                                "network.peer.port": None, "server.port": 80,
                                "url.full": "http://box.local/ok"})


# ---- an application that sends a context of its own -----------------------

OWN_TRACE = "0af7651916cd43dd8448eb211c80319c"
OWN_SPAN = "b7ad6b7169203331"
CLIENT = 3


def own_traceparent(given):
    """A valid context is our parent; that it names our span afterwards happens
    only to the one that the program was given, not to another tracer's."""
    line = "00-%s-%s-01" % (OWN_TRACE, OWN_SPAN)
    env = {"TRACEPARENT": line} if given else {}
    argv = curl("-H", "traceparent: " + line, "-H", "X-After: 1", url("/ok"))
    bare, before = suite.once(argv, False, env=env)
    check(traceparents(before[0]) == [line], "curl does not send the header")
    traced, after = suite.once(argv, True, env=env)
    check(bare.out == traced.out, "output differs")
    headers = traceparents(after[0])
    check(len(headers) == 1, "traceparent headers: %r", headers)
    if not traced.traced:
        return
    # What is given a context has a span of its own as well.
    span, = (span for span in traced.spans() if span["kind"] == CLIENT)
    sent = "00-%s-%s-01" % (OWN_TRACE, span["spanId"]) if given else line
    check(before[0]["head"].replace(line, sent) == after[0]["head"],
          "more of the request changed: %r", after[0]["head"])
    check(span["attributes"].get("autotrace.not_propagated") ==
          (None if given else "own_context"), "%s", span["attributes"])
    check(span["traceId"] == OWN_TRACE and span["parentSpanId"] == OWN_SPAN,
          "parent %s/%s", span["traceId"], span["parentSpanId"])
    check(span["flags"] == 0x301, "flags %#x, expected remote parent (0x301)",
          span["flags"])
    check(span["attributes"].get("autotrace.parent") == "header", "%s",
          span["attributes"])


suite.add("own-traceparent", own_traceparent, False)
suite.add("own-traceparent-given", own_traceparent, True)


@suite.case("own-traceparent-invalid")
def own_traceparent_invalid():
    """What is not a context is neither believed nor joined by a second."""
    argv = curl("-H", "traceparent: 00-xyz", url("/ok"))
    traced, after = suite.once(argv, True)
    check(traceparents(after[0]) == ["00-xyz"], "%r", traceparents(after[0]))
    if traced.traced:
        span, = traced.spans()
        check(span["parentSpanId"] == "", "parent %s", span["parentSpanId"])
        check(span["attributes"].get("autotrace.propagated") is False,
              "not marked as not propagated: %s", span["attributes"])


# ---- foreign hosts: a span, no header --------------------------------------

def not_told(name, argv, wanted_url, env=None, host="api.example.com"):
    @suite.case(name)
    def run():
        bare, before = suite.once(argv, False)
        traced, after = suite.once(argv, True, env=env)
        check(bare.out == traced.out, "output differs")
        check([r["head"] for r in before] == [r["head"] for r in after],
              "a foreign host's request changed: %r", after[0]["head"])
        if traced.traced:
            span, = traced.spans()
            check(span["attributes"].get("autotrace.propagated") is False,
                  "%s", span["attributes"])
            check(span["attributes"]["url.full"] == wanted_url, "%s",
                  span["attributes"])
            check(span["attributes"]["server.address"] == host, "%s",
                  span["attributes"])


not_told("foreign-proxy", curl("-x", url(""), "http://api.example.com/ok"),
         "http://api.example.com/ok")
not_told("propagate-none", curl(url("/ok")), url("/ok"),
         env={"AUTOTRACE_PROPAGATE_TO": "none"}, host="127.0.0.1")
suite.http("propagate-all",
           curl("-x", url(""), "http://api.example.com/ok"),
           [want("GET", "http://api.example.com/ok", 200)],
           env={"AUTOTRACE_PROPAGATE_TO": "all"})


# ---- servers that read slowly, and servers that reset ----------------------

def transfers(base, some):
    """One process, a transfer for each size."""
    lines = []
    for number, size in enumerate(some):
        lines += ["next"] if number else []
        lines += ["silent", "show-error", "max-time = 50",
                  'url = "%s"' % base("/ok?i=%d" % number)]
        if size:
            lines += ['data-binary = "@%s"' % suite.sized(size),
                      'header = "Expect:"']
    path = suite.runner.write("transfers%d" % len(some), "\n".join(lines))
    return ["curl", "-K", path], numbered(some)


suite.hostile(lambda base: [transfers(base, sizes(HOSTILE, HOSTILE_LARGE))],
              per_connection=PER_CONNECTION)
suite.hostile(lambda base: [transfers(base, sizes(RESETS, 0, True))],
              "resets", resets=True, per_connection=PER_CONNECTION)

sys.exit(suite.main())
