#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What goes to a collector: encoding, headers, paths, batches, connections."""
import gzip
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite
from harness import PROGRAMS, check
from otlp_receiver import OtlpReceiver
from spancheck import check_spans

suite = HttpSuite("otlp-content")
URLLIB = ["/usr/bin/python3", os.path.join(PROGRAMS, "client_urllib.py")]


def requests(count):
    return URLLIB + [suite.server.url(""), "GET", "/ok", "none", str(count),
                     "serial", "-"]


def case(name, path="/v1/traces", count=3, **env):
    """Run against a receiver; the function checks what it got."""
    def put(function):
        @suite.case(name)
        def run():
            with OtlpReceiver() as receiver:
                receiver.path = path
                variables = {key: value.replace("@", receiver.endpoint)
                             for key, value in env.items()}
                if not any("ENDPOINT" in key for key in env):
                    variables.update(receiver.environment())
                result, records = suite.once(requests(count), True,
                                             env=variables, span_file=False)
                result.expect_status(0)
                check(not receiver.errors, "%s", receiver.errors)
                if result.traced:
                    check_spans(records, receiver.spans(),
                                (result.start_ns, result.end_ns))
                    function(receiver, result)
        return function
    return put


@case("plain")
def plain(receiver, _):
    post, = receiver.posts
    check(post.request.get("content-type") == "application/x-protobuf", "%s",
          post.request.headers)
    check(post.request.get("content-encoding") == "", "compressed")
    check("OTLP-Exporter" in post.request.get("user-agent"), "user-agent %r",
          post.request.get("user-agent"))
    check(not post.request.all("expect"), "Expect")


@case("gzip", OTEL_EXPORTER_OTLP_COMPRESSION="gzip", count=50)
def compressed(receiver, _):
    post = receiver.posts[0]
    check(post.request.get("content-encoding") == "gzip", "%s",
          post.request.headers)
    check(len(post.content) * 2 < len(gzip.decompress(post.content)),
          "hardly smaller")


@case("base-path", path="/deep/er/v1/traces",
      OTEL_EXPORTER_OTLP_ENDPOINT="@/deep/er")
def base_path(receiver, _):
    check(len(receiver.posts) == 1, "%d posts", len(receiver.posts))


@case("base-path-slash", path="/deep/v1/traces",
      OTEL_EXPORTER_OTLP_ENDPOINT="@/deep/")
def base_path_slash(receiver, _):
    check(len(receiver.posts) == 1, "%d posts", len(receiver.posts))


@case("traces-endpoint", path="/as/it/is",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="@/as/it/is",
      OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
def traces_endpoint(receiver, _):
    check(len(receiver.posts) == 1, "%d posts", len(receiver.posts))


@case("traces-endpoint-without-path", path="/",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="@")
def traces_endpoint_root(receiver, _):
    check(len(receiver.posts) == 1, "%d posts", len(receiver.posts))


@case("headers", OTEL_EXPORTER_OTLP_HEADERS="api-key=a%20b,x-two=c=d",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS="")
def headers(receiver, _):
    request = receiver.posts[0].request
    check(request.all("api-key") == ["a b"], "%s", request.headers)
    check(request.all("x-two") == ["c=d"], "%s", request.headers)


@case("traces-headers-replace", OTEL_EXPORTER_OTLP_HEADERS="one=1",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS="two=2")
def traces_headers(receiver, _):
    request = receiver.posts[0].request
    check(request.all("one") == [] and request.all("two") == ["2"], "%s",
          request.headers)


@case("service-and-resource", OTEL_SERVICE_NAME="shop",
      OTEL_RESOURCE_ATTRIBUTES="service.name=other,deployment.environment."
      "name=test%2C1,service.instance.id=me")
def resource(receiver, _):
    seen = receiver.spans()[0]["resource"]
    check(seen["service.name"] == "shop", "%s", seen)
    check(seen["deployment.environment.name"] == "test,1", "%s", seen)
    check(seen["service.instance.id"] == "me", "%s", seen)


@case("default-service-name")
def default_name(receiver, _):
    seen = receiver.spans()[0]["resource"]["service.name"]
    base = os.path.basename(os.path.realpath("/usr/bin/python3"))
    check(seen == "unknown_service:" + base, "service.name %r", seen)


@case("batches", count=1300, OTEL_BSP_SCHEDULE_DELAY="60000")
def batches(receiver, result):
    """A batch leaves when it is full, long before the timer."""
    counts = [spans_in(post) for post in receiver.posts]
    check(max(counts) <= 512, "batches of %s", counts)
    check(counts.count(512) >= 2, "batches of %s", counts)
    check(receiver.posts[0].time_ns < result.end_ns - 1e6,
          "nothing was sent before the end")
    check(receiver.connections == 1, "%d connections", receiver.connections)
    suite.note("1,300 spans in batches of %s on one connection", counts)


@case("small-batches", count=50, OTEL_BSP_MAX_EXPORT_BATCH_SIZE="10")
def small_batches(receiver, _):
    counts = [spans_in(post) for post in receiver.posts]
    check(max(counts) <= 10, "batches of %s", counts)


def spans_in(post):
    from otlp_receiver import check_post
    return len(check_post(post, post.receiver.path))


@suite.case("timer")
def timer():
    """What has ended is exported when the timer says, not at the exit."""
    with OtlpReceiver() as receiver:
        result, records = suite.once(
            ["curl", "-sS", suite.server.url("/ok"),
             suite.server.url("/slow?ms=1500")], True, span_file=False,
            env=dict(receiver.environment(), OTEL_BSP_SCHEDULE_DELAY="200"))
        result.expect_status(0)
        if not result.traced:
            return
        check_spans(records, receiver.spans())
        check(len(receiver.posts) == 2, "%d posts", len(receiver.posts))
        early = (result.end_ns - receiver.posts[0].time_ns) / 1e9
        check(early > 0.5, "the first span left %.2f s before the end", early)


sys.exit(suite.main())
