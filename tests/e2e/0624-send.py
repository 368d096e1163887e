#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""`autotrace send`: a saved trace arrives as it was saved, or is counted."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import otlp_receiver
from coverage import HttpSuite
from harness import BARE_ONLY, COMMAND, check
from otlp_decode import spans_of_file
from otlp_receiver import OtlpReceiver, partial_success, refused_port

suite = HttpSuite("send")
url = suite.server.url


def case(name):
    """A case that needs the command: nothing to do on bare programs."""
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


def send(path, receiver=None, env=None, stdin=None):
    return suite.runner.run([COMMAND, "send", path], stdin=stdin, env={
        **(receiver.environment() if receiver else {}), **(env or {})})


def saved():
    """The file of a run of a few programs, and its spans."""
    result = suite.runner.autotrace_run(
        ["sh", "-c", "curl -sS %s %s; wget -qO- %s; exit 3" % (
            url("/ok?a=1"), url("/status/503"), url("/ok"))], ["-q"])
    result.expect_status(3)
    return result.span_file


def same(sent, read):
    def key(span):
        return span["spanId"]
    for one, other in zip(sorted(sent, key=key), sorted(read, key=key)):
        # Not for the network.
        other["attributes"].pop("process.command_args", None)
        check(one == other, "sent %s\nsaved %s", one, other)
    check(len(sent) == len(read), "%d of %d", len(sent), len(read))


@case("arrives-as-it-was-saved")
def arrives():
    path = saved()
    for env in ({}, {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
                {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"},
                {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"}):
        with OtlpReceiver() as receiver:
            result = send(path, receiver, {
                "OTEL_SERVICE_NAME": "not-this-one",
                "OTEL_EXPORTER_OTLP_HEADERS": "x-key=secret", **env})
            check(not receiver.errors, "%s", receiver.errors)
            result.expect_status(0)
            same(receiver.spans(), spans_of_file(path))
            for post in receiver.posts:
                check(post.request.get("x-key") == "secret", "no header")
        count = len(spans_of_file(path))
        check(result.out.decode() == "autotrace: %d spans: %d accepted, "
              "0 rejected, 0 lost\n" % (count, count), "%r", result.out)
        check(not result.err, "%r", result.err)


FOREIGN = {"resourceSpans": [
    {"scopeSpans": [{"spans": [
        {"endTimeUnixNano": 9, "startTimeUnixNano": "7", "name": "a",
         "kind": "SPAN_KIND_SERVER", "spanId": "00F067AA0BA902B7",
         "traceId": "4BF92F3577B34DA6A3CE929D0E0E4736",
         "traceState": "k=v", "flags": 257,
         "status": {"code": "STATUS_CODE_ERROR", "message": "no"},
         "links": [{"traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
                    "spanId": "00f067aa0ba902b8"}],
         "attributes": [
             {"key": "i", "value": {"intValue": -5}},
             {"key": "d", "value": {"doubleValue": 1.5}},
             {"key": "b", "value": {"boolValue": True}},
             {"key": "y", "value": {"bytesValue": "AAEC/w=="}},
             {"key": "l", "value": {"arrayValue": {"values": [
                 {"stringValue": "x"}, {"intValue": "3"}]}}},
             {"key": "m", "value": {"kvlistValue": {"values": [
                 {"key": "k", "value": {"stringValue": "\u00e4"}}]}}}]}],
        "scope": {"name": "s", "version": "1"}}],
     "resource": {"attributes": [
         {"key": "service.name", "value": {"stringValue": "theirs"}}]}},
    {"scopeSpans": [{"spans": [
        {"traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "name": "b",
         "spanId": "00f067aa0ba902b9", "startTimeUnixNano": "1",
         "endTimeUnixNano": "2", "kind": 1}]}]}]}


@case("what-others-wrote-too")
def foreign():
    """Several resources, attributes of all types, enums by name."""
    path = suite.runner.write("foreign.jsonl", json.dumps(FOREIGN))
    with OtlpReceiver() as receiver:
        send(path, receiver).expect_status(0)
        errors = [e for e in receiver.errors if "service.name" not in e]
        check(not errors, "%s", errors)
        spans = {span["name"]: span for span in receiver.spans()}
    check(set(spans) == {"a", "b"}, "%s", spans)
    span = spans["a"]
    check(span["resource"]["service.name"] == "theirs"
          and span["kind"] == 2 and span["traceState"] == "k=v"
          and span["status"] == 2, "%s", span)
    check(span["attributes"] == {
        "i": -5, "d": 1.5, "b": True, "y": b"\0\1\2\xff",
        "l": ["x", 3], "m": {"k": "\u00e4"}}, "%s", span["attributes"])
    check(spans["b"]["resource"] == {}, "%s", spans["b"])


@case("standard-input")
def standard_input():
    path = saved()
    with OtlpReceiver() as receiver, open(path, "rb") as file:
        send("-", receiver, stdin=file.read()).expect_status(0)
        same(receiver.spans(), spans_of_file(path))


@case("nobody-there")
def nobody():
    path = saved()
    count = len(spans_of_file(path))
    sock, port = refused_port()
    with sock:
        result = send(path, env={"OTEL_EXPORTER_OTLP_ENDPOINT":
                                 "http://127.0.0.1:%d" % port})
    result.expect_status(1)
    check("0 accepted, 0 rejected, %d lost" % count in result.out.decode(),
          "%r", result.out)
    check(result.seconds < 5, "took %.1f s", result.seconds)


@case("rejected")
def rejected():
    path = saved()
    count = len(spans_of_file(path))
    with OtlpReceiver() as receiver:
        receiver.script = [partial_success(2, "no")]
        result = send(path, receiver)
    result.expect_status(1)
    check("%d accepted, 2 rejected, 0 lost" % (count - 2)
          in result.out.decode(), "%r", result.out)


@case("tried-again")
def again():
    path = saved()
    with OtlpReceiver() as receiver:
        receiver.script = [otlp_receiver.status(503)]
        send(path, receiver).expect_status(0)
        same(receiver.spans(), spans_of_file(path))


@case("bad-lines")
def bad_lines():
    with open(saved(), "rb") as file:
        good = file.read()
    path = suite.runner.write("bad.jsonl", b"{\"x\"\n\n" + good
                              + good[:len(good) // 2])
    with OtlpReceiver() as receiver:
        result = send(path, receiver)
        check(len(receiver.spans()) == len(spans_of_file(saved())),
              "%d spans", len(receiver.spans()))
    result.expect_status(1)
    check(b"bad.jsonl:1:" in result.err, "%r", result.err)
    check(b"cut off" in result.out, "%r", result.out)


@case("wrong-use")
def wrong_use():
    path = saved()
    for words, env in ((["send"], {}), (["send", path, path], {}),
                       (["send", "--nonsense"], {}),
                       (["send", path], {"OTEL_TRACES_EXPORTER": "none"}),
                       (["send", path], {"OTEL_TRACES_EXPORTER": "file",
                                         "AUTOTRACE_FILE": path})):
        result = suite.runner.run([COMMAND] + words, env=env)
        check(result.status == 2 and result.err.count(b"\n") == 1
              and not result.out, "%s: %s %r %r", words, result.status,
              result.out, result.err)
    result = suite.runner.run([COMMAND, "send", "/nonexistent"])
    check(result.status == 1 and b"/nonexistent" in result.err, "%r",
          result.err)


sys.exit(suite.main())
