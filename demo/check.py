#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""check.py TRACE LOGS: is the trace what happened in the shop?

TRACE is what autotrace wrote, LOGS the directory of the services' own logs:
two accounts of the same requests that know nothing of each other.
"""
import json
import os
import re
import sys
from difflib import unified_diff

# What client.sh orders, and whom the order service asks for each.
HAPPENED = [line.split() for line in """
    order      POST  /api/order       201
    inventory  GET   /stock/teapot    200
    payment    POST  /charge          200
    shipping   POST  /parcels         201

    order      POST  /api/order       404
    inventory  GET   /stock/unicorn   404

    order      POST  /api/order       409
    inventory  GET   /stock/umbrella  409

    order      POST  /api/order       402
    inventory  GET   /stock/teapot    200
    payment    POST  /charge          402

    order      POST  /api/order       503
    inventory  GET   /stock/mirror    500

    order      POST  /api/order       201
    inventory  GET   /stock/teapot    200
    payment    POST  /charge          200
    shipping   POST  /parcels         201
""".splitlines() if line.strip()]

# Each service, and the program that calls it.
CALLERS = {"order": "curl", "inventory": "python3", "payment": "python3",
           "shipping": "python3"}
INTERNAL, SERVER, CLIENT = 1, 2, 3
UNSET, ERROR = 0, 2
SLOW_MS = 600


# ---- reading the two accounts ----------------------------------------------

def plain(value):
    """The Python value of an OTLP attribute value."""
    (kind, content), = value.items()
    return int(content) if kind == "intValue" else content


def read_trace(path):
    """All spans, by their start."""
    spans = []
    with open(path) as file:
        for line in file:
            for resource in json.loads(line)["resourceSpans"]:
                about = attributes(resource["resource"])
                for scope in resource["scopeSpans"]:
                    spans += [Span(span, about) for span in scope["spans"]]
    return sorted(spans, key=lambda span: span.start_ns)


def attributes(thing):
    return {pair["key"]: plain(pair["value"])
            for pair in thing.get("attributes", [])}


class Span:
    def __init__(self, span, resource):
        self.name = span["name"]
        self.kind = span["kind"]
        self.trace_id = span["traceId"]
        self.span_id = span["spanId"]
        self.parent_id = span.get("parentSpanId", "")
        self.flags = span.get("flags", 0)
        self.start_ns = int(span["startTimeUnixNano"])
        self.end_ns = int(span["endTimeUnixNano"])
        self.status = span.get("status", {}).get("code", UNSET)
        self.attributes = attributes(span)
        self.resource = resource

    def __str__(self):
        return "span %s (%s %s)" % (self.span_id, self.name,
                                    self.attributes.get("url.full", ""))


class Service:
    """One service's log: where it listens, and a line for each request."""

    def __init__(self, name, directory):
        self.name = name
        with open(os.path.join(directory, name + ".log")) as file:
            text = file.read()
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)", text)[1])
        self.requests = [json.loads(line) for line in text.splitlines()
                         if line.startswith("{")]
        for request in self.requests:
            request["headers"] = {name.lower(): value for name, value
                                  in request["headers"].items()}


# ---- comparing them --------------------------------------------------------

problems = []


def check(good, what, *arguments):
    if not good:
        problems.append(what % arguments)


def check_frame(spans):
    """One run is one trace, and its root is the run itself."""
    check(len({span.trace_id for span in spans}) == 1, "trace ids: %s",
          sorted({span.trace_id for span in spans}))
    check({span.resource.get("service.name") for span in spans} == {"shop"},
          "not all spans are of the service \"shop\"")
    roots = [span for span in spans if not span.parent_id]
    check(len(roots) == 1 and roots[0].kind == INTERNAL
          and roots[0].name == "bash shop.sh", "roots: %s", [*map(str, roots)])
    ids = {span.span_id for span in spans}
    for span in spans:
        check(not span.parent_id or span.parent_id in ids,
              "%s: its parent %s is not there", span, span.parent_id)
        told = span.attributes.get("autotrace.parent")
        check(told == rule_of(span), "%s: autotrace.parent is %s", span, told)


def rule_of(span):
    """How it is known whose child it is."""
    if not span.parent_id:
        return None
    if span.kind == SERVER:
        return "header"
    # Flask answers each request on a thread of its own.
    program = span.attributes.get("process.executable.name", "")
    called = span.kind == CLIENT and program.startswith("python3")
    return "thread" if called else "process"


def check_happened(clients, services):
    """Exactly the expected requests, in their order."""
    names = {service.port: service.name for service in services}
    seen = []
    for span in clients:
        told = span.attributes
        path = told.get("url.full", "").partition("127.0.0.1")[2]
        seen.append([str(names.get(told.get("server.port"))),
                     told.get("http.request.method"),
                     path[path.find("/"):],
                     str(told.get("http.response.status_code"))])
    if seen == HAPPENED:
        return
    problems.append("the client spans are not the requests that were made "
                    "(- expected, + in the trace):")
    problems.extend(difference(HAPPENED, seen))


def difference(expected, seen):
    lines = unified_diff([" ".join(row) for row in expected],
                         [" ".join(map(str, row)) for row in seen],
                         n=1, lineterm="")
    return ["  " + line for line in lines][2:]


def check_client(span, parents):
    """What every client span must say of itself and its parent."""
    told = span.attributes
    code = told.get("http.response.status_code", 0)
    check(span.name == told.get("http.request.method"), "%s: its name", span)
    check(told.get("server.address") == "127.0.0.1", "%s: server.address %s",
          span, told.get("server.address"))
    check(told.get("error.type") == (str(code) if code >= 400 else None),
          "%s: error.type %s of status %d", span, told.get("error.type"), code)
    check(span.status == (ERROR if code >= 400 else UNSET),
          "%s: span status %d of HTTP status %d", span, span.status, code)
    parent = parents.get(span.parent_id)
    check(parent and parent.attributes.get("process.pid")
          == told.get("process.pid"), "%s: parent %s", span,
          span.parent_id or "none")


def check_server(span, service):
    """What every server span must say of itself."""
    told = span.attributes
    code = told.get("http.response.status_code", 0)
    failed = code >= 500
    check(span.name == told.get("http.request.method"), "%s: its name", span)
    check(told.get("server.port") == service.port, "%s: port %s", span,
          told.get("server.port"))
    check(told.get("client.address") == "127.0.0.1", "%s: client.address %s",
          span, told.get("client.address"))
    check(told.get("error.type") == (str(code) if failed else None),
          "%s: error.type %s of status %d", span, told.get("error.type"), code)
    check(span.status == (ERROR if failed else UNSET),
          "%s: span status %d of HTTP status %d", span, span.status, code)


def check_wire(service, servers, clients):
    """Each request in a service's log names the service's own span, whose
    parent is the span of its caller."""
    callers = {span.span_id: span for span in clients
               if span.attributes.get("server.port") == service.port}
    for request in service.requests:
        what = "%s's log: %s %s %d" % (service.name, request["method"],
                                       request["path"], request["status"])
        header = request["headers"].get("traceparent")
        words = re.fullmatch(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})",
                             header or "")
        check(words, "%s came with traceparent %s", what, header)
        span = servers.pop(words[2], None) if words else None
        check(span or not words, "%s names no span of a server", what)
        if not span:
            continue
        check_server(span, service)
        check(span.attributes.get("url.path") == request["path"],
              "%s: its span says %s", what, span.attributes)
        caller = callers.pop(span.parent_id, None)
        check(caller, "%s: below span %s, which is not its caller's", what,
              span.parent_id)
        if caller:
            check_pair(what, request, words, caller, service)
            check(caller.start_ns <= span.start_ns, "%s begins before %s",
                  span, caller)
    for span in callers.values():
        problems.append("%s is in no log" % span)


def check_pair(what, request, words, span, service):
    told = span.attributes
    check(words[1] == span.trace_id, "%s: trace id %s", what, words[1])
    check(int(words[3], 16) == span.flags & 0xff, "%s: flags %s, but %#x in "
          "the span", what, words[3], span.flags)
    url = "http://127.0.0.1:%d%s" % (service.port, request["path"])
    check((told.get("http.request.method"), told.get("url.full"),
           told.get("http.response.status_code"))
          == (request["method"], url, request["status"]),
          "%s: its span says %s", what, told)
    program = told.get("process.executable.name", "")
    check(program.startswith(CALLERS[service.name]), "%s: made by %s", what,
          program or "nobody")


def check_times(clients, services):
    """Who waits for others takes as long as they do; the Moon is slow."""
    port = services[0].port
    outer = None
    for span in clients:
        if span.attributes.get("server.port") == port:
            check(not outer or outer.end_ns <= span.start_ns,
                  "%s starts before %s ends", span, outer)
            outer = span
        else:
            check(outer and span.end_ns <= outer.end_ns,
                  "%s is not within %s", span, outer)
    slow_ms = (clients[-1].end_ns - clients[-1].start_ns) / 1e6
    check(slow_ms >= SLOW_MS, "%s took %.1f ms, but the post office on the "
          "Moon takes %d", clients[-1], slow_ms, SLOW_MS)


def main():
    trace, logs = sys.argv[1:]
    services = [Service(name, logs) for name in CALLERS]
    spans = read_trace(trace)
    if not spans:
        sys.exit("demo: the trace is empty")
    clients = [span for span in spans if span.kind == CLIENT]
    servers = {span.span_id: span for span in spans if span.kind == SERVER}
    # Of a call: the program, or the request that it serves meanwhile.
    parents = {span.span_id: span for span in spans if span.kind != CLIENT}
    served = len(servers)
    check_frame(spans)
    check_happened(clients, services)
    for span in clients:
        check_client(span, parents)
    for service in services:
        check_wire(service, servers, clients)
    for span in servers.values():
        problems.append("%s is in no log" % span)
    if not problems:
        check_times(clients, services)
    if problems:
        sys.exit("\n".join(["demo: the trace is wrong:"]
                           + ["  " + problem for problem in problems]))
    print("demo: %d requests in the services' logs; %d client and %d server "
          "spans in one\n      trace, each below its cause"
          % (sum(len(service.requests) for service in services),
             len(clients), served))


if __name__ == "__main__":
    main()
