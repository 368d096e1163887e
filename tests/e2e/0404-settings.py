#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Samplers, propagators, the off switch, and a context in the environment."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite, want
from harness import BARE_ONLY, check
from spancheck import TRACEPARENT, check_spans, client_spans, traceparents

suite = HttpSuite("settings")
url = suite.server.url
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


def curl(*targets):
    return ["curl", "-sS", *[url(t) for t in targets]]


def traced_run(argv, env):
    """(spans, requests) of a traced run whose results equal the bare one's."""
    bare, before = suite.once(argv, False)
    traced, after = suite.once(argv, True, env=env)
    check((bare.status, bare.out, bare.err) ==
          (traced.status, traced.out, traced.err), "results differ: %r %r",
          traced.out, traced.err)
    check(len(before) == len(after), "%d requests", len(after))
    return traced.spans(), before, after


def flags_of(record):
    headers = traceparents(record)
    check(len(headers) == 1, "traceparent %r", headers)
    found = TRACEPARENT.fullmatch(headers[0])
    check(found, "traceparent %r", headers)
    return int(found.group(3), 16)


def not_sampled(name, **env):
    """No span, and a context that says so (flags 00 or, random, 02)."""
    @suite.case(name)
    def run():
        spans, _, after = traced_run(curl("/ok", "/ok"), env)
        check(spans == [], "%s", spans)
        if not BARE_ONLY:
            for record in after:
                check(flags_of(record) in (0, 2), "%s", traceparents(record))


def sampled(name, **env):
    @suite.case(name)
    def run():
        spans, _, after = traced_run(curl("/ok", "/ok"), env)
        if not BARE_ONLY:
            check_spans(after, spans)


def parent(flags):
    return "00-%s-%s-%s" % (TRACE, PARENT, flags)


SAMPLER = "OTEL_TRACES_SAMPLER"
ARG = "OTEL_TRACES_SAMPLER_ARG"
sampled("always-on", **{SAMPLER: "always_on"})
sampled("any-case", **{SAMPLER: "Always_On"})
sampled("unknown-sampler", **{SAMPLER: "sometimes"})
sampled("ratio-one", **{SAMPLER: "traceidratio", ARG: "1"})
sampled("ratio-nonsense", **{SAMPLER: "traceidratio", ARG: "abc"})
sampled("ratio-out-of-range", **{SAMPLER: "traceidratio", ARG: "1.5"})
sampled("argument-alone", **{ARG: "0"})
sampled("parent-sampled", TRACEPARENT=parent("01"))
sampled("parent-ignored", TRACEPARENT=parent("00"), **{SAMPLER: "always_on"})
sampled("parent-beats-off", TRACEPARENT=parent("01"),
        **{SAMPLER: "parentbased_always_off"})
sampled("sdk-disabled-1-is-not-true", OTEL_SDK_DISABLED="1")
not_sampled("always-off", **{SAMPLER: "always_off"})
not_sampled("parentbased-always-off", **{SAMPLER: "parentbased_always_off"})
not_sampled("ratio-zero", **{SAMPLER: "traceidratio", ARG: "0"})
not_sampled("parentbased-ratio-zero",
            **{SAMPLER: "parentbased_traceidratio", ARG: "0.0"})
not_sampled("parent-not-sampled", TRACEPARENT=parent("00"))


@suite.case("ratio-half")
def ratio_half():
    """Each trace id decides for itself, as it does everywhere."""
    spans, _, after = traced_run(
        curl(*["/ok?i=%d" % i for i in range(400)]),
        {SAMPLER: "traceidratio", ARG: "0.5"})
    if BARE_ONLY:
        return
    kept = []
    for record in after:
        trace = traceparents(record)[0].split("-")[1]
        keep = int(trace[16:], 16) >> 1 < 1 << 62
        check(flags_of(record) & 1 == keep, "%s", traceparents(record))
        if keep:
            kept.append(record)
    check_spans(kept, spans)
    check(120 < len(kept) < 280, "%d of 400 kept", len(kept))
    suite.note("ratio 0.5 kept %d of 400", len(kept))


@suite.case("context-of-the-environment")
def environment_context():
    """TRACEPARENT and TRACESTATE: one trace, below the caller's span."""
    state = "ot=th:0;rv:0123456789abcd,vendor=x"
    spans, before, after = traced_run(
        curl("/ok", "/ok"), {"TRACEPARENT": parent("03"),
                             "TRACESTATE": state})
    if BARE_ONLY:
        return
    clients = client_spans(spans)
    check(len(clients) == 2, "%d client spans", len(clients))
    check({s["traceId"] for s in spans} == {TRACE}, "other traces")
    program, = [s for s in spans if s["kind"] == 1]
    check(program["parentSpanId"] == PARENT and
          program["flags"] == 0x303 and program["traceState"] == state,
          "%s", program)
    for span in clients:
        check(span["parentSpanId"] == program["spanId"], "parent of %s", span)
        check(span["flags"] == 0x103, "flags %#x", span["flags"])
        check(span["attributes"].get("autotrace.parent") == "process", "%s",
              span["attributes"])
        check(span["traceState"] == state, "tracestate %r",
              span["traceState"])
    for one, record in zip(before, after):
        check(flags_of(record) == 3, "%s", traceparents(record))
        states = [v for n, v in record["headers"]
                  if n.lower() == "tracestate"]
        check(states == [state], "tracestate on the wire %r", states)
        lines = [line for line in record["head"].split("\r\n")
                 if not line.startswith(("traceparent: ", "tracestate: "))]
        check("\r\n".join(lines) == one["head"], "%r", record["head"])


for invalid in ("00-" + "0" * 32 + "-00f067aa0ba902b7-01", "junk",
                parent("01").upper(), parent("01") + "-x"):
    sampled("invalid-context-" + invalid[-20:], TRACEPARENT=invalid)


def untouched(name, spans_expected, **env):
    """The request leaves as it would without us."""
    @suite.case(name)
    def run():
        spans, before, after = traced_run(curl("/ok", "/204"), env)
        check([r["head"] for r in before] == [r["head"] for r in after],
              "%s", after[0]["head"])
        if BARE_ONLY:
            return
        check(len(spans) == spans_expected, "%d spans", len(spans))
        for span in spans:
            check(span["attributes"].get("autotrace.propagated") is False,
                  "%s", span["attributes"])


untouched("disabled", 0, OTEL_SDK_DISABLED="true")
untouched("disabled-any-case", 0, OTEL_SDK_DISABLED="TRUE")
untouched("disabled-with-context", 0, OTEL_SDK_DISABLED="true",
          TRACEPARENT=parent("01"))
untouched("no-propagators", 2, OTEL_PROPAGATORS="none")


@suite.case("url-query")
def url_query():
    if BARE_ONLY:
        return
    for mode, wanted in (("keep", "?a=1&b=2"), ("drop", ""),
                         ("redact-values", "?a=REDACTED&b=REDACTED")):
        spans, _, _ = traced_run(curl("/ok?a=1&b=2"),
                                 {"AUTOTRACE_URL_QUERY": mode})
        seen = spans[0]["attributes"]["url.full"]
        check(seen == url("/ok") + wanted, "%s: %s", mode, seen)


suite.http("known-methods",
           ["curl", "-sS", "-X", "PROPFIND", url("/ok")],
           [want("PROPFIND", "/ok", 200)],
           env={"OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS": "GET,PROPFIND"},
           expected=lambda _: {"name": "PROPFIND",
                               "http.request.method": "PROPFIND",
                               "http.request.method_original": None})
suite.http("redact-more", ["curl", "-sS", url("/ok?mine=1&x=2")],
           [want("GET", "/ok?mine=1&x=2", 200)],
           env={"AUTOTRACE_REDACT": "mine"},
           expected=lambda _: {"url.full": url("/ok?mine=REDACTED&x=2")})

sys.exit(suite.main())
