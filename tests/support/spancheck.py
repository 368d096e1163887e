# SPDX-License-Identifier: Apache-2.0
"""Comparing what the server saw with what was exported.

compare_wire() holds a bare run's requests against a traced run's; check_spans()
holds the traced run's requests against its spans, attribute by attribute, by
the HTTP semantic conventions.
"""
import collections
import re

from harness import Failure, check, differ

CLIENT = 3
ERROR = 2
METHODS = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST",
           "PUT", "QUERY", "TRACE"}
# error.type of a request that failed without a status that says so.
CAUSES = {"timeout", "connection_refused", "connection_reset",
          "host_unreachable", "network_unreachable", "broken_pipe",
          "name_resolution_error", "tls_handshake_error", "protocol_error",
          "response_truncated", "_OTHER"}
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
# Client and server stamp their times with the same clock.
CLOCK_SLACK_NS = 2_000_000
# autotrace's own attributes that a client span may have.
PROCESS = {"process.pid": int, "process.executable.name": str}
OWN = {"autotrace.parent", "autotrace.propagated", "autotrace.not_propagated",
       "autotrace.truncated", "autotrace.incomplete"}
# What libcurl says of its requests, see check_curl().
PHASES = ["autotrace.curl." + phase for phase in
          ("dns_ms", "connect_ms", "tls_ms")]
FIRST_BYTE = "autotrace.curl.first_byte_ms"
RESENT = "http.request.resend_count"
CURL = {*PHASES, FIRST_BYTE, RESENT}


def describe(record):
    return "%s %s (connection %d, request %d, answered %s%s)" % (
        record["method"], record["target"], record["connection"],
        record["request"], record["status"],
        ", " + record["fault"] if record["fault"] else "")


def traceparents(record):
    return [v for n, v in record["headers"] if n.lower() == "traceparent"]


def without_traceparent(head):
    """The head less its one injected line, which must be the last."""
    lines = head.split("\r\n")
    ours = [i for i, line in enumerate(lines)
            if line.lower().startswith("traceparent:")]
    check(len(ours) == 1, "%d traceparent lines in %r", len(ours), head)
    check(ours[0] == len(lines) - 3,
          "traceparent is not the last header: %r", head)
    check(TRACEPARENT.fullmatch(lines[ours[0]][len("traceparent: "):])
          and lines[ours[0]].startswith("traceparent: "),
          "malformed line %r", lines[ours[0]])
    del lines[ours[0]]
    return "\r\n".join(lines)


def compare_wire(bare, traced, ordered=True, normalise=None, bodies=True,
                 injected=True):
    """Byte for byte the same requests but for the injected line."""
    normalise = normalise or (lambda head: head)
    check(len(bare) == len(traced),
          "requests: bare %d, traced %d\nbare:\n  %s\ntraced:\n  %s",
          len(bare), len(traced), "\n  ".join(map(describe, bare[:40])),
          "\n  ".join(map(describe, traced[:40])))
    strip = without_traceparent if injected else (lambda head: head)
    want = [outline(r, normalise(r["head"]), bodies) for r in bare]
    seen = [outline(r, normalise(strip(r["head"])), bodies) for r in traced]
    if not ordered:
        want, seen = sorted(want), sorted(seen)
    differ("what the server received", want, seen)


def outline(record, head, bodies):
    body = (record["body_bytes"], record["body_sha256"])
    return (head, record["status"] or 0, record["chunked"],
            record["trailers"]) + (body if bodies else ())


def client_spans(spans):
    """Those that stand for HTTP requests."""
    return [s for s in spans if s["kind"] == CLIENT
            and "http.request.method" in s["attributes"]]


def check_spans(records, spans, window=None, expected=None, faults=None,
                unread=(), unheard=0):
    """Exactly one right CLIENT span for each request the server saw.

    window    (start_ns, end_ns) of the run
    expected  f(record) -> attributes that override what follows from the
              record (None: must be absent)
    faults    error types allowed for exchanges that the server broke off
    unread    serials of requests whose answer the program may not have read
    unheard   how many requests may have left, and the program with them,
              before the server read them
    """
    clients = client_spans(spans)
    by_id = {}
    for span in clients:
        check(span["spanId"] not in by_id, "span id %s twice", span["spanId"])
        by_id[span["spanId"]] = span
    for record in records:
        headers = traceparents(record)
        check(len(headers) == 1, "%s: traceparent %r", describe(record),
              headers)
        found = TRACEPARENT.fullmatch(headers[0])
        check(found, "%s: malformed traceparent %r", describe(record),
              headers[0])
        span = by_id.pop(found.group(2), None)
        if not span:
            raise Failure("%s: no CLIENT span %s; %d left over: %s" % (
                describe(record), found.group(2), len(by_id),
                [outline_span(s) for s in list(by_id.values())[:10]]))
        try:
            check_one(record, span, found, expected, faults)
            check_times(record, span, window, record["serial"] in unread)
        except Failure as failure:
            raise Failure("%s\n%s\nspan: %s" % (
                describe(record), failure, span)) from None
    left = list(by_id.values())
    check(len(left) <= unheard, "%d CLIENT spans without a request: %s",
          len(left), [outline_span(s) for s in left[:10]])
    for span in left:
        check_unheard(span)
    check_frame(spans)


def compare_attempts(bare, traced, ordered=True, normalise=None,
                     injected=True):
    """compare_wire where the server resets: a cut head has no line of ours
    yet, and of a body that it broke off what arrived depends on the moment."""
    whole = [[r for r in records if not r["cut"]]
             for records in (bare, traced)]
    broken = [[r["head"] for r in records if r["cut"]]
              for records in (bare, traced)]
    differ("the heads that were cut", *map(sorted, broken))
    sums = [[r for r in records if not r["fault"]] for records in whole]
    compare_wire(*whole, ordered, normalise, False, injected)
    compare_wire(*sums, ordered, normalise, True, injected)


def check_attempts(records, spans, window=None, in_pieces=False):
    """check_spans where the server resets: each attempt has a span; one that
    was cut is told by its URL. in_pieces: the client sends a head in several
    calls, and one that did not leave whole has no span (docs/limits.md)."""
    lost = {"connection_reset", "broken_pipe"}
    whole = [r for r in records if not r["cut"]]
    known = {TRACEPARENT.fullmatch(traceparents(r)[0]).group(2)
             for r in whole}
    clients = client_spans(spans)
    check_spans(whole, [s for s in spans if s not in clients
                        or s["spanId"] in known], window, faults=lost)
    left = [s for s in clients if s["spanId"] not in known]
    told = collections.Counter(s["attributes"]["url.full"] for s in left)
    cut = collections.Counter("http://%s:%d%s" % (*r["server"], r["target"])
                              for r in records if r["cut"])
    check(told == cut or in_pieces and told <= cut,
          "of attempts that were cut, without a span: %s; spans besides: %s",
          list(cut - told), list(told - cut))
    for span in left:
        check(span["attributes"].get("error.type") in lost
              and span["status"] == ERROR
              and "http.response.status_code" not in span["attributes"],
              "a request that was cut: %s", span)


def check_unheard(span):
    """A client that leaves on purpose has not failed (HTTP-13)."""
    check(span["status"] == 0, "%s: status %d", outline_span(span),
          span["status"])
    for key in ("http.response.status_code", "error.type"):
        check(key not in span["attributes"], "%s, which the server never read,"
              " has %s", outline_span(span), key)


def outline_span(span):
    return "%s %s %s" % (span["spanId"], span["name"],
                         span["attributes"].get("url.full"))


def check_one(record, span, traceparent, expected, faults):
    check(span["traceId"] == traceparent.group(1),
          "trace id %s in the span, %s on the wire", span["traceId"],
          traceparent.group(1))
    flags = int(traceparent.group(3), 16)
    check(flags & 0x01, "flags %02x on the wire of an exported span", flags)
    check(flags & ~0x03 == 0, "flags %02x on the wire", flags)
    check(span["flags"] & 0xff == flags, "flags %#x in the span, %02x on the "
          "wire", span["flags"], flags)
    check(span["flags"] & 0x100, "flags %#x do not say whether the parent is "
          "remote", span["flags"])
    want = wanted(record, faults)
    override = dict(expected(record) or {}) if expected else {}
    want["name"] = override.pop("name", want["name"])
    want["status"] = override.pop("status", want["status"])
    want["attributes"].update(override)
    check(span["name"] == want["name"], "name %r, expected %r", span["name"],
          want["name"])
    compare_attributes(span["attributes"], want["attributes"])
    check(span["status"] == want["status"], "status %d, expected %d",
          span["status"], want["status"])
    check_process(span)
    if CURL & set(span["attributes"]):
        check_curl(record, span)
    check(not span["message"], "description %r", span["message"])
    check(span["dropped_attributes"] == 0, "dropped attributes")


def check_process(span):
    """Who made it: said by the resource, or under a hub by the span."""
    for key, kind in PROCESS.items():
        both = [where[key] for where in (span["resource"], span["attributes"])
                if key in where]
        check(len(both) == 1 and isinstance(both[0], kind), "%s: %s", key,
              both)


def check_curl(record, span):
    """Each phase is there if it happened: on a connection's first request."""
    seen = span["attributes"]
    first = record["request"] == 1
    check((PHASES[1] in seen) == first, "request %d on its connection: %s",
          record["request"], seen)
    check((PHASES[2] in seen) == (first and bool(record.get("tls"))),
          "request %d, tls %s: %s", record["request"], record.get("tls"), seen)
    literal = re.fullmatch(r"[0-9.]+|.*:.*", seen.get("server.address", ""))
    check((PHASES[0] in seen) == (first and not literal), "request %d: %s",
          record["request"], seen)
    check(FIRST_BYTE in seen or record["fault"] or span["status"] == ERROR,
          "answered, and no first byte: %s", seen)
    check(type(seen.get(RESENT, 1)) is int and seen.get(RESENT, 1) > 0,
          "resend_count %r", seen.get(RESENT))
    spent = [seen[key] for key in PHASES if key in seen]
    check(all(type(part) is float and part >= 0 for part in spent),
          "phases %s", spent)
    whole = (span["end_ns"] - span["start_ns"]) / 1e6
    check(sum(spent) <= seen.get(FIRST_BYTE, whole) + 0.002 <= whole + 0.004,
          "phases %s, first byte %s, all %f", spent, seen.get(FIRST_BYTE),
          whole)


def compare_attributes(seen, want):
    for key, value in want.items():
        if isinstance(value, set):
            check(seen.get(key) in value, "%s is %r, expected one of %s", key,
                  seen.get(key), sorted(value, key=str))
        else:
            check(seen.get(key) == value and type(seen.get(key)) is type(value),
                  "%s is %r, expected %r", key, seen.get(key), value)
    extra = set(seen) - set(want) - OWN - set(PROCESS) - CURL
    check(not extra, "unexpected attributes %s",
          {key: seen[key] for key in extra})


def split_authority(host, default_port):
    if host.startswith("["):
        address, _, rest = host[1:].partition("]")
        return address, int(rest[1:] or default_port)
    address, _, port = host.partition(":")
    return address, int(port or default_port)


def wanted(record, faults):
    """What the conventions say of a request as the server saw it."""
    method, target = record["method"], record["target"]
    hosts = [v for n, v in record["headers"] if n.lower() == "host"]
    absolute = re.match(r"http://(?:[^/?#@]*@)?([^/?#]*)(.*)", target)
    peer_host, peer_port = record["server"]
    secure = record.get("tls")
    scheme = "https" if secure else "http"
    if absolute:
        authority, url = absolute.group(1), target
    elif hosts and hosts[0]:
        authority, url = hosts[0], "%s://%s%s" % (scheme, hosts[0], target)
    else:
        text = "[%s]" % peer_host if ":" in peer_host else peer_host
        authority = "%s:%d" % (text, peer_port)
        url = "%s://%s%s" % (scheme, authority, target)
    address, port = split_authority(authority, 443 if secure else 80)
    known = method in METHODS
    attributes = {
        "http.request.method": method if known else "_OTHER",
        "http.request.method_original": None if known else method,
        "url.full": url, "server.address": address, "server.port": port,
        "network.peer.address": peer_host, "network.peer.port": peer_port,
        "network.protocol.version": record["version"],
        "http.response.status_code": record["status"], "error.type": None,
    }
    if secure:
        # Many programs carry the records themselves: no descriptor is known.
        attributes["network.peer.address"] = {peer_host, None}
        attributes["network.peer.port"] = {peer_port, None}
    status = 0
    if record["status"] and record["status"] >= 400:
        status, attributes["error.type"] = ERROR, str(record["status"])
    elif record["fault"]:
        status, attributes["error.type"] = ERROR, set(faults or CAUSES)
    return {"name": method if known else "HTTP", "status": status,
            "attributes": attributes}


def check_times(record, span, window, unread):
    slack = CLOCK_SLACK_NS
    check(span["start_ns"] <= record["head_ns"] + slack,
          "starts %.1f ms after the server had the head",
          (span["start_ns"] - record["head_ns"]) / 1e6)
    if record["answer_ns"] and not unread:
        check(span["end_ns"] >= record["answer_ns"] - slack,
              "ends %.1f ms before the server answered",
              (record["answer_ns"] - span["end_ns"]) / 1e6)
    if window:
        check(span["start_ns"] >= window[0] - slack
              and span["end_ns"] <= window[1] + slack,
              "not within the run: %s", window)


def check_frame(spans):
    """What every span has around it: scope and resource."""
    for span in spans:
        resource = span["resource"]
        check(span["scope"]["name"] == "libautotrace", "scope %r",
              span["scope"])
        check(span["scope"]["version"], "no scope version")
        for key in ("service.name", "telemetry.sdk.name",
                    "telemetry.sdk.language", "telemetry.sdk.version",
                    "service.instance.id"):
            check(resource.get(key), "resource has no %s: %s", key, resource)
        check(resource["telemetry.sdk.name"] == "libautotrace",
              "telemetry.sdk.name %r", resource["telemetry.sdk.name"])
        check(span["scope_schema"].startswith("https://opentelemetry.io/"),
              "schema %r", span["scope_schema"])


def check_links(records):
    """The parent ids on the wire are all different."""
    ids = [traceparents(r)[0].split("-")[2] for r in records]
    check(len(set(ids)) == len(ids), "the same parent id on two requests")
