# SPDX-License-Identifier: Apache-2.0
"""Traces made by hand, as the file exporter would have written them."""
import json


def attribute(key, value):
    if isinstance(value, bool):
        return {"key": key, "value": {"boolValue": value}}
    if isinstance(value, int):
        return {"key": key, "value": {"intValue": str(value)}}
    return {"key": key, "value": {"stringValue": value}}


class Trace:
    """Spans added one by one; ids are counted, times are milliseconds."""

    def __init__(self):
        self._spans = []

    def _add(self, name, parent, start, end, kind, failed, attributes):
        number = len(self._spans) + 1
        span = {"traceId": "%032x" % 0xabc, "spanId": "%016x" % number,
                "flags": 257, "name": name, "kind": kind,
                "startTimeUnixNano": str(int(start * 10**6) + 17 * 10**17),
                "endTimeUnixNano": str(int(end * 10**6) + 17 * 10**17),
                "attributes": [attribute(k, v) for k, v in attributes.items()]}
        if parent:
            span["parentSpanId"] = "%016x" % parent
        if failed:
            span["status"] = {"code": 2}
        self._spans.append(span)
        return number

    def process(self, name, parent, start, end, code=0, signal=None,
                cpu=(0, 0), memory=0, blind=None, pid=None):
        """A process span; its number."""
        more = {"process.pid": pid or 1000 + len(self._spans),
                "process.executable.name": name.split()[0],
                "process.exit.code": code,
                "autotrace.process.user_cpu_ms": cpu[0],
                "autotrace.process.system_cpu_ms": cpu[1],
                "autotrace.process.peak_memory_bytes": memory}
        if code:
            more["error.type"] = signal or str(code)
        if blind:
            more["autotrace.blind_spot"] = blind
        return self._add(name, parent, start, end, 1, code, more)

    def request(self, url, parent, start, end, status):
        failed = status >= 400
        more = {"http.request.method": "GET", "url.full": url,
                "http.response.status_code": status}
        if failed:
            more["error.type"] = str(status)
        return self._add("GET", parent, start, end, 3, failed, more)

    def line(self):
        return json.dumps({"resourceSpans": [{
            "resource": {"attributes": [attribute("service.name", "x")]},
            "scopeSpans": [{"spans": self._spans}]}]}) + "\n"
