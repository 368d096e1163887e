# SPDX-License-Identifier: Apache-2.0
"""OpenTelemetry's own SDKs (scripts/sdks.sh), and a collector for them."""
import http.server
import os
import sys
import threading
import time

from harness import BUILD

SDKS = os.path.join(BUILD, "sdks")
PYTHON = os.path.join(SDKS, "python")
# Each as its documentation has it, for a program that is not changed.
ENTRIES = {
    "python": {"PYTHONPATH": "%s/opentelemetry/instrumentation/"
               "auto_instrumentation:%s" % (PYTHON, PYTHON)},
    "node": {"NODE_OPTIONS": "--require %s/node/node_modules/@opentelemetry/"
             "auto-instrumentations-node/build/src/register.js" % SDKS},
    "java": {"JAVA_TOOL_OPTIONS":
             "-javaagent:%s/java/opentelemetry-javaagent.jar" % SDKS},
}
KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT"}


class Collector:
    """Keeps spans as dictionaries like otlp_decode's; content as it comes."""

    def __init__(self):
        # The protocol's own classes come with the Python SDK.
        sys.path.insert(0, PYTHON)
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
        sys.path.remove(PYTHON)
        self.message = trace_service_pb2.ExportTraceServiceRequest
        self.spans = []
        self.contexts = []      # of the posts themselves
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                collector.take(self.body(), self.headers)
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def body(self):
                if "Content-Length" in self.headers:
                    return self.rfile.read(int(self.headers["Content-Length"]))
                body, size = b"", None      # chunked
                while size != 0:
                    size = int(self.rfile.readline().partition(b";")[0], 16)
                    body += self.rfile.read(size)
                    self.rfile.readline()
                return body

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def take(self, body, headers):
        self.contexts += headers.get_all("traceparent", [])
        for resource in self.message.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans += [plain(span) for span in scope.spans]

    def environment(self, sdk):
        return {
            **ENTRIES[sdk],
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT":
                "http://127.0.0.1:%d/v1/traces" % self.server.server_port,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_TRACES_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none", "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_NODE_RESOURCE_DETECTORS": "none",
            "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
        }

    def await_spans(self, wanted, timeout_s=20):
        """Until wanted(spans); whoever asks then says what is missing."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not wanted(self.spans):
            time.sleep(0.05)
        return list(self.spans)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def plain(span):
    return {
        "traceId": span.trace_id.hex(), "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(), "kind": span.kind,
        "name": span.name, "startTimeUnixNano": span.start_time_unix_nano,
        "status": {"code": span.status.code} if span.status.code else {},
        "attributes": {pair.key: getattr(
            pair.value, pair.value.WhichOneof("value"))
            for pair in span.attributes},
    }
