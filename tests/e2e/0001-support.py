#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The test support itself: servers, decoders, and checks that can fail.

Needs no build: it runs no program under the library.
"""
import copy
import gzip
import json
import os
import socket
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
import otlp_decode
import otlp_receiver
import spancheck
from harness import Failure, check
from otlp_receiver import OtlpReceiver
from truth_server import TruthServer

harness.needs_build = lambda: None
suite = harness.Suite("support")

# An ExportTraceServiceRequest made with protoc, and the same in JSON.
PROTOBUF = bytes.fromhex(
    "0acf020a300a1a0a0c736572766963652e6e616d65120a0a08636865636b6f75740a120a"
    "0b70726f636573732e706964120318922112f1010a150a0c6c69626175746f7472616365"
    "1205302e312e3012ae010a104bf92f3577b34da6a3ce929d0e0e4736120800f067aa0ba9"
    "02b71a076f743d74683a302208b7ad6b71692033312a0347455430033901002a36fe9c97"
    "17410265f753fe9c97174a200a19687474702e726573706f6e73652e7374617475735f63"
    "6f6465120318f7034a130a0a6572726f722e7479706512050a0335303350026a210a100a"
    "f7651916cd43dd8448eb211c80319c1208b7ad6b716920333135010300007a0218028501"
    "030300001a2768747470733a2f2f6f70656e74656c656d657472792e696f2f736368656d"
    "61732f312e34342e301a2768747470733a2f2f6f70656e74656c656d657472792e696f2f"
    "736368656d61732f312e34342e30")
JSON = {"resourceSpans": [{
    "resource": {"attributes": [
        {"key": "service.name", "value": {"stringValue": "checkout"}},
        {"key": "process.pid", "value": {"intValue": "4242"}}]},
    "scopeSpans": [{
        "scope": {"name": "libautotrace", "version": "0.1.0"},
        "spans": [{
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
            "spanId": "00f067aa0ba902b7", "traceState": "ot=th:0",
            "parentSpanId": "b7ad6b7169203331", "flags": 771, "name": "GET",
            "kind": 3, "startTimeUnixNano": "1700000000000000001",
            "endTimeUnixNano": "1700000000500000002",
            "attributes": [
                {"key": "http.response.status_code",
                 "value": {"intValue": "503"}},
                {"key": "error.type", "value": {"stringValue": "503"}}],
            "droppedAttributesCount": 2,
            "links": [{"traceId": "0af7651916cd43dd8448eb211c80319c",
                       "spanId": "b7ad6b7169203331", "flags": 769}],
            "status": {"code": 2}}],
        "schemaUrl": "https://opentelemetry.io/schemas/1.44.0"}],
    "schemaUrl": "https://opentelemetry.io/schemas/1.44.0"}]}


def refused(function, *arguments, error=otlp_decode.Invalid):
    try:
        function(*arguments)
    except error:
        return
    raise Failure("accepted: %r" % (arguments,))


def json_with(change):
    value = copy.deepcopy(JSON)
    group = value["resourceSpans"][0]
    change(group, group["scopeSpans"][0]["spans"][0])
    return json.dumps(value)


@suite.case("protobuf-equals-json")
def both_forms():
    one = otlp_decode.spans_of_protobuf(PROTOBUF)
    other = otlp_decode.spans_of_json_line(json.dumps(JSON))
    check(one == other, "%s\n%s", one, other)
    span, = one
    check(span["attributes"] == {"http.response.status_code": 503,
                                 "error.type": "503"}, "%s", span)
    check(span["links"][0]["flags"] == 769 and span["flags"] == 771
          and span["status"] == 2 and span["dropped_attributes"] == 2, "%s",
          span)


@suite.case("protobuf-defects")
def protobuf_defects():
    for cut in range(1, len(PROTOBUF)):
        refused(otlp_decode.spans_of_protobuf, PROTOBUF[:cut])
    refused(otlp_decode.spans_of_protobuf, b"")
    refused(otlp_decode.spans_of_protobuf, PROTOBUF + b"\x12\x00")
    refused(otlp_decode.spans_of_protobuf, PROTOBUF + b"\x08\x01")
    refused(otlp_decode.spans_of_protobuf,
            PROTOBUF.replace(b"checkout", b"check\xff\xfet"))
    refused(otlp_decode.spans_of_protobuf,
            PROTOBUF.replace(b"P\x02j", b"P\x02h"))


@suite.case("json-defects")
def json_defects():
    def put(**changes):
        return json_with(lambda group, span: span.update(changes))

    def drop(name):
        return json_with(lambda group, span: span.pop(name))
    otlp_decode.spans_of_json_line(put(kind=2))
    pair = {"key": "a", "value": {"stringValue": "b"}}
    for text in (
            put(traceId="4BF92F3577B34DA6A3CE929D0E0E4736"),
            put(traceId="4bf92f35"), put(spanId="0" * 16),
            put(parentSpanId="0" * 16), put(kind=0), put(kind="3"),
            put(startTimeUnixNano=1700000000000000001),
            put(endTimeUnixNano="1699999999999999999"), put(name=""),
            put(trace_state="x"), put(flags=0x303 | 1 << 12),
            put(flags=0x201), put(attributes=[pair, pair]),
            put(attributes=[{"key": "a", "value": {}}]),
            put(attributes=[{"key": "a", "value": {"intValue": 5}}]),
            put(attributes=[{"key": "", "value": {"stringValue": "b"}}]),
            put(status={"code": 3}), put(status={"code": 0, "message": "x"}),
            drop("traceId"), drop("endTimeUnixNano"),
            json_with(lambda group, span: group.pop("scopeSpans")),
            json_with(lambda group, span: group.pop("resource")),
            '{"resourceSpans":[]}', "{", '{"resourceSpans":[NaN]}',
            put(name="\udc80")):
        refused(otlp_decode.spans_of_json_line, text)


@suite.case("span-file")
def span_file():
    line = json.dumps(JSON).encode() + b"\n"
    path = suite.runner.write("good", line * 3)
    check(len(otlp_decode.spans_of_file(path)) == 3, "three spans")
    refused(otlp_decode.spans_of_file,
            suite.runner.write("cut", line + line[:9]))
    refused(otlp_decode.spans_of_file, suite.runner.write("gap", line + b"\n"))


# ---- the truth server ------------------------------------------------------

def talk(server, data):
    with socket.create_connection((server.host, server.port)) as sock:
        sock.sendall(data)
        answer = b""
        try:
            sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(65536):
                answer += piece
        except OSError:
            answer += b"<reset>"
    server.drain()
    return answer


@suite.case("truth-records")
def truth_records():
    head = (b"POST /ok?a=1 HTTP/1.1\r\nHost: h\r\nX-A:  b \r\nx-a: \xff\r\n"
            b"Content-Length: 5\r\n\r\n")
    with TruthServer() as server:
        talk(server, head + b"hello" + b"GET /204 HTTP/1.1\r\n\r\n"
             b"PUT /ok HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
             b"3;x\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n")
        one, two, three = server.records()
    check(one["head"].encode("latin-1") == head, "%r", one["head"])
    check(one["headers"][1:3] == [["X-A", "b"], ["x-a", "\xff"]], "%s",
          one["headers"])
    check((one["body_bytes"], one["status"], one["pipelined"]) ==
          (5, 200, True), "%s", one)
    check((two["target"], two["status"], two["request"]) == ("/204", 204, 2),
          "%s", two)
    check((three["body_bytes"], three["chunked"], three["trailers"],
           three["pipelined"]) == (5, True, "T: 1\r\n", False), "%s", three)


@suite.case("truth-routes")
def truth_routes():
    ends = {"/ok": b"HTTP/1.1 200", "/204": b"HTTP/1.1 204",
            "/304": b"HTTP/1.1 304", "/status/418": b"HTTP/1.1 418",
            "/redirect/3": b"HTTP/1.1 302", "/close": b"HTTP/1.0 200",
            "/chunked": b"HTTP/1.1 200", "/103": b"HTTP/1.1 103",
            "/empty-reply": b"", "/reset": b"<reset>",
            "/truncated": b"HTTP/1.1 200", "/drip": b"HTTP/1.1 200",
            "/garbage": b"\x00\x01", "/slow?ms=1": b"HTTP/1.1 200",
            "/none": b"HTTP/1.1 404", "/bighead": b"HTTP/1.1 200"}
    with TruthServer() as server:
        for path, begins in ends.items():
            answer = talk(server, b"GET %s HTTP/1.1\r\nConnection: close\r\n"
                          b"\r\n" % path.encode())
            check(answer.startswith(begins) and (begins or not answer),
                  "%s: %r", path, answer[:100])
        answer = talk(server, b"POST /100 HTTP/1.1\r\nExpect: 100-continue\r\n"
                      b"Content-Length: 3\r\n\r\n")
        check(answer.startswith(b"HTTP/1.1 100 "), "%r", answer)
        answer = talk(server, b"POST /early HTTP/1.1\r\n"
                      b"Content-Length: 3\r\n\r\n")
        check(answer.startswith(b"HTTP/1.1 413 "), "%r", answer)
        check(len(server.records()) == len(ends) + 2, "%d records",
              len(server.records()))


# ---- the receiver ------------------------------------------------------------

def post(receiver, content, kind="application/x-protobuf", **headers):
    request = urllib.request.Request(
        receiver.endpoint + "/v1/traces", content,
        dict({"Content-Type": kind}, **headers))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@suite.case("receiver")
def receiver_behaves():
    with OtlpReceiver() as receiver:
        receiver.script = [otlp_receiver.status(503, "1")]
        check(post(receiver, PROTOBUF) == 503, "503")
        check(receiver.spans() == [], "kept what it refused")
        check(post(receiver, PROTOBUF) == 200, "200")
        check(post(receiver, gzip.compress(PROTOBUF),
                   **{"Content-Encoding": "gzip"}) == 200, "gzip")
        check(post(receiver, json.dumps(JSON).encode(), "application/json")
              == 200, "JSON")
        check(len(receiver.spans()) == 3 and not receiver.errors, "%s",
              receiver.errors)
        post(receiver, PROTOBUF, "text/plain")
        post(receiver, PROTOBUF[:-1])
        post(receiver, PROTOBUF, traceparent="x")
        check(len(receiver.errors) == 3, "%s", receiver.errors)


# ---- the checks can fail ---------------------------------------------------

def good_pair():
    with TruthServer() as server:
        talk(server, b"GET /ok?x=1 HTTP/1.1\r\nHost: a.test:81\r\n"
             b"Connection: close\r\ntraceparent: "
             b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03\r\n\r\n")
        record, = server.records()
        port = server.port
    span = otlp_decode.spans_of_protobuf(PROTOBUF)[0]
    span.update({
        "parentSpanId": "", "flags": 0x103, "status": 0,
        "dropped_attributes": 0, "start_ns": record["head_ns"] - 1000,
        "end_ns": record["answer_ns"] + 1000, "links": [],
        "resource": {"process.pid": 7, "process.executable.name": "x",
                     "service.name": "x", "telemetry.sdk.name": "libautotrace",
                     "telemetry.sdk.language": "c", "service.instance.id": "1",
                     "telemetry.sdk.version": "0"},
        "attributes": {
            "http.request.method": "GET", "server.address": "a.test",
            "server.port": 81, "url.full": "http://a.test:81/ok?x=1",
            "http.response.status_code": 200,
            "network.peer.address": "127.0.0.1", "network.peer.port": port,
            "network.protocol.version": "1.1"}})
    return record, span


@suite.case("checks-can-fail")
def checks_can_fail():
    record, span = good_pair()
    spancheck.check_spans([record], [span])
    refused(spancheck.check_spans, [record], [], error=Failure)
    refused(spancheck.check_spans, [], [span], error=Failure)
    refused(spancheck.check_spans, [record], [span, span], error=Failure)
    for changes in ({"name": "GET /ok"}, {"traceId": "1" * 32},
                    {"spanId": "1" * 16}, {"flags": 0x101}, {"flags": 0x3},
                    {"status": 2}, {"kind": 2}, {"dropped_attributes": 1},
                    {"start_ns": record["head_ns"] + 10**8},
                    {"end_ns": record["answer_ns"] - 10**8},
                    {"scope": {"name": "x", "version": "1"}},
                    {"resource": {}}):
        refused(spancheck.check_spans, [record], [dict(span, **changes)],
                error=Failure)
    for key in span["attributes"]:
        less = dict(span["attributes"])
        less.pop(key)
        refused(spancheck.check_spans, [record],
                [dict(span, attributes=less)], error=Failure)
        wrong = dict(span["attributes"], **{key: "wrong"})
        refused(spancheck.check_spans, [record],
                [dict(span, attributes=wrong)], error=Failure)
    more = dict(span["attributes"], **{"error.type": "x"})
    refused(spancheck.check_spans, [record], [dict(span, attributes=more)],
            error=Failure)


@suite.case("wire-checks-can-fail")
def wire_checks_can_fail():
    traced, _ = good_pair()
    lines = traced["head"].split("\r\n")
    bare = dict(traced, head="\r\n".join(lines[:3] + lines[4:]))
    spancheck.compare_wire([bare], [traced])
    refused(spancheck.compare_wire, [bare], [bare], error=Failure)
    refused(spancheck.compare_wire, [], [traced], error=Failure)
    for head in ("\r\n".join(lines[:3] + [lines[3]] + lines[3:]),
                 "\r\n".join([lines[0], lines[3]] + lines[1:3] + lines[4:]),
                 traced["head"].replace("/ok", "/OK"),
                 traced["head"].replace("Host: ", "Host:  "),
                 traced["head"].replace("traceparent: ", "traceparent:")):
        refused(spancheck.compare_wire, [bare], [dict(traced, head=head)],
                error=Failure)
    refused(spancheck.compare_wire, [bare], [dict(traced, body_sha256="x")],
            error=Failure)


@suite.case("harness-notices")
def harness_notices():
    runner = suite.runner
    result = runner.run(["sh", "-c", "echo out; echo err >&2; echo x >f; "
                         "exit 3"])
    check((result.status, result.out, result.err, result.files) ==
          (3, b"out\n", b"err\n", {"f": b"x\n"}), "%s", vars(result))
    check(runner.run(["sh", "-c", "kill -TERM $$"]).status == -15, "signal")
    refused(lambda: runner.run(["sleep", "30"], timeout_s=0.2), error=Failure)
    refused(lambda: runner.run(["sh", "-c", "sleep 30 & exit 0"]),
            error=Failure)


sys.exit(suite.main())
