# SPDX-License-Identifier: Apache-2.0
"""Strict readers of OTLP traces, protobuf and JSON, into the same dicts.

Written from the field numbers of opentelemetry-proto v1.11 and independent of
the exporter's own encoder. Anything a tolerant collector would let pass is an
error here: unknown fields, wrong wire types, ids of a wrong length, repeated
attribute keys, invalid UTF-8, an end before its start, empty envelopes.

A span comes out as:
  traceId, spanId, parentSpanId ('' for none), traceState, flags, name, kind,
  start_ns, end_ns, attributes {key: value}, dropped_attributes, events, links,
  status (code 0..2), message, scope {name, version}, scope_schema,
  resource {key: value}, resource_schema
"""
import base64
import json
import math
import re
import struct

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
NUMERIC = {"uint32": VARINT, "int64": VARINT, "enum": VARINT, "bool": VARINT,
           "fixed64": FIXED64, "double": FIXED64, "fixed32": FIXED32}

# message: {field number: (name, type, repeated)}
SCHEMA = {
    "Request": {1: ("resourceSpans", "ResourceSpans", True)},
    "ResourceSpans": {1: ("resource", "Resource", False),
                      2: ("scopeSpans", "ScopeSpans", True),
                      3: ("schemaUrl", "string", False)},
    "Resource": {1: ("attributes", "KeyValue", True),
                 2: ("droppedAttributesCount", "uint32", False)},
    "ScopeSpans": {1: ("scope", "Scope", False),
                   2: ("spans", "Span", True),
                   3: ("schemaUrl", "string", False)},
    "Scope": {1: ("name", "string", False),
              2: ("version", "string", False),
              3: ("attributes", "KeyValue", True),
              4: ("droppedAttributesCount", "uint32", False)},
    "Span": {1: ("traceId", "id", False),
             2: ("spanId", "id", False),
             3: ("traceState", "string", False),
             4: ("parentSpanId", "id", False),
             5: ("name", "string", False),
             6: ("kind", "enum", False),
             7: ("startTimeUnixNano", "fixed64", False),
             8: ("endTimeUnixNano", "fixed64", False),
             9: ("attributes", "KeyValue", True),
             10: ("droppedAttributesCount", "uint32", False),
             11: ("events", "Event", True),
             12: ("droppedEventsCount", "uint32", False),
             13: ("links", "Link", True),
             14: ("droppedLinksCount", "uint32", False),
             15: ("status", "Status", False),
             16: ("flags", "fixed32", False)},
    "Event": {1: ("timeUnixNano", "fixed64", False),
              2: ("name", "string", False),
              3: ("attributes", "KeyValue", True),
              4: ("droppedAttributesCount", "uint32", False)},
    "Link": {1: ("traceId", "id", False),
             2: ("spanId", "id", False),
             3: ("traceState", "string", False),
             4: ("attributes", "KeyValue", True),
             5: ("droppedAttributesCount", "uint32", False),
             6: ("flags", "fixed32", False)},
    "Status": {2: ("message", "string", False),
               3: ("code", "enum", False)},
    "KeyValue": {1: ("key", "string", False),
                 2: ("value", "AnyValue", False)},
    "AnyValue": {1: ("stringValue", "string", False),
                 2: ("boolValue", "bool", False),
                 3: ("intValue", "int64", False),
                 4: ("doubleValue", "double", False),
                 5: ("arrayValue", "ArrayValue", False),
                 6: ("kvlistValue", "KeyValueList", False),
                 7: ("bytesValue", "bytes", False)},
    "ArrayValue": {1: ("values", "AnyValue", True)},
    "KeyValueList": {1: ("values", "KeyValue", True)},
}


class Invalid(Exception):
    """What was sent is not what the specification says."""


def need(condition, text, *values):
    if not condition:
        raise Invalid(text % values if values else text)


# ---- protobuf ------------------------------------------------------------

def varint(data, at):
    value = shift = 0
    while True:
        need(at < len(data), "varint runs off the end")
        need(shift < 70, "varint longer than ten bytes")
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        if byte < 0x80:
            need(value < 1 << 64, "varint over 64 bits")
            return value, at
        shift += 7


def take(data, at, count):
    need(at + count <= len(data), "field runs off the end")
    return data[at:at + count], at + count


def wire_value(data, at, wire):
    if wire == VARINT:
        return varint(data, at)
    if wire == FIXED64:
        return take(data, at, 8)
    if wire == FIXED32:
        return take(data, at, 4)
    need(wire == BYTES, "wire type %d", wire)
    count, at = varint(data, at)
    return take(data, at, count)


def utf8(raw, where):
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("%s is not UTF-8: %r" % (where, raw)) from None


def convert(raw, kind, where):
    if kind == "string":
        return utf8(raw, where)
    if kind == "id":
        return raw.hex()
    if kind == "bytes":
        return raw
    if kind == "fixed64":
        return struct.unpack("<Q", raw)[0]
    if kind == "fixed32":
        return struct.unpack("<I", raw)[0]
    if kind == "double":
        return struct.unpack("<d", raw)[0]
    if kind == "bool":
        need(raw in (0, 1), "%s: bool %d", where, raw)
        return bool(raw)
    if kind == "int64":
        return raw - (1 << 64) if raw >> 63 else raw
    if kind in ("uint32", "enum"):
        need(raw < 1 << 32, "%s: over 32 bits", where)
        return raw
    return decode(raw, kind)


def decode(data, message):
    """One protobuf message into a dict of the fields that were there."""
    fields = SCHEMA[message]
    result, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        need(number in fields, "%s: unknown field %d", message, number)
        name, kind, repeated = fields[number]
        where = "%s.%s" % (message, name)
        expected = NUMERIC.get(kind, BYTES)
        need(wire == expected, "%s: wire type %d", where, wire)
        raw, at = wire_value(data, at, wire)
        value = convert(raw, kind, where)
        if repeated:
            result.setdefault(name, []).append(value)
        else:
            need(name not in result, "%s twice", where)
            result[name] = value
    return result


def spans_of_protobuf(data):
    return spans_of(decode(bytes(data), "Request"))


# ---- JSON ----------------------------------------------------------------

def from_json(value, message, where):
    """Check the JSON form by the same schema, giving what decode() gives."""
    need(isinstance(value, dict), "%s is not an object", where)
    by_name = {name: (kind, repeated)
               for name, kind, repeated in SCHEMA[message].values()}
    result = {}
    for name, item in value.items():
        path = "%s.%s" % (where, name)
        need(name in by_name, "%s: unknown field", path)
        kind, repeated = by_name[name]
        if repeated:
            need(isinstance(item, list), "%s is not an array", path)
            result[name] = [json_value(one, kind, path) for one in item]
        else:
            result[name] = json_value(item, kind, path)
    return result


def json_value(item, kind, path):
    if kind in SCHEMA:
        return from_json(item, kind, path)
    if kind == "string":
        need(isinstance(item, str), "%s is not a string", path)
        need(not re.search("[\ud800-\udfff]", item),
             "%s: a lone surrogate in %r", path, item)
        return item
    if kind == "id":
        need(isinstance(item, str) and re.fullmatch("([0-9a-f]{2})*", item),
             "%s: %r is not lower-case hex", path, item)
        return item
    if kind == "bytes":
        return base64.b64decode(item, validate=True)
    if kind in ("fixed64", "int64"):
        return json_int64(item, kind, path)
    if kind == "double":
        return json_double(item, path)
    if kind == "bool":
        need(isinstance(item, bool), "%s is not a bool", path)
        return item
    need(isinstance(item, int) and not isinstance(item, bool)
         and 0 <= item < 1 << 32, "%s: %r is not a 32-bit number", path, item)
    return item


def json_int64(item, kind, path):
    need(isinstance(item, str) and re.fullmatch("0|-?[1-9][0-9]*", item),
         "%s: %r is not a decimal string", path, item)
    low, high = (0, 1 << 64) if kind == "fixed64" else (-(1 << 63), 1 << 63)
    need(low <= int(item) < high, "%s: %s is out of range", path, item)
    return int(item)


def json_double(item, path):
    if item in ("NaN", "Infinity", "-Infinity"):
        return float(item.replace("Infinity", "inf"))
    need(isinstance(item, (int, float)) and not isinstance(item, bool)
         and math.isfinite(item), "%s: %r is not a double", path, item)
    return float(item)


def no_duplicates(pairs):
    result = dict(pairs)
    need(len(result) == len(pairs), "an object has a key twice: %r", pairs)
    return result


def reject_constant(name):
    raise Invalid("%s is not JSON" % name)


def spans_of_json_line(line):
    """One line of the file format (bytes or str)."""
    if isinstance(line, bytes):
        line = utf8(line, "line")
    try:
        value = json.loads(line, object_pairs_hook=no_duplicates,
                           parse_constant=reject_constant)
    except json.JSONDecodeError as error:
        raise Invalid("not JSON: %s in %r" % (error, line[:300])) from None
    return spans_of(from_json(value, "Request", "$"))


def spans_of_file(path):
    """All spans of a file of lines; every line must be whole and valid."""
    with open(path, "rb") as file:
        data = file.read()
    need(not data or data.endswith(b"\n"), "%s: last line is not whole", path)
    spans = []
    for number, line in enumerate(data.splitlines(), 1):
        try:
            spans += spans_of_json_line(line)
        except Invalid as error:
            raise Invalid("%s:%d: %s" % (path, number, error)) from None
    return spans


# ---- meaning -------------------------------------------------------------

def attributes_of(pairs, where):
    result = {}
    for pair in pairs:
        key = pair.get("key", "")
        need(key, "%s: attribute without a key", where)
        need(key not in result, "%s: attribute %s twice", where, key)
        need("value" in pair, "%s: attribute %s has no value", where, key)
        result[key] = any_value(pair["value"], "%s.%s" % (where, key))
    return result


def any_value(value, where):
    need(len(value) == 1, "%s: %d kinds of value", where, len(value))
    (name, item), = value.items()
    if name == "arrayValue":
        return [any_value(one, where) for one in item.get("values", [])]
    if name == "kvlistValue":
        return attributes_of(item.get("values", []), where)
    return item


def check_id(value, length, where):
    need(len(value) == length, "%s: %r is not %d digits", where, value, length)
    need(value.strip("0"), "%s is all zeros", where)


def check_flags(flags, where):
    need(flags >> 10 == 0, "%s: flags %#x have reserved bits", where, flags)
    need(flags & 0x100 or not flags & 0x200,
         "%s: flags %#x say remote, yet not known", where, flags)


def link_of(link, where):
    check_id(link.get("traceId", ""), 32, where + ".traceId")
    check_id(link.get("spanId", ""), 16, where + ".spanId")
    check_flags(link.get("flags", 0), where)
    return {"traceId": link["traceId"], "spanId": link["spanId"],
            "traceState": link.get("traceState", ""),
            "flags": link.get("flags", 0),
            "attributes": attributes_of(link.get("attributes", []), where)}


def event_of(event, where):
    need(event.get("name"), "%s without a name", where)
    need(event.get("timeUnixNano"), "%s without a time", where)
    return {"name": event["name"], "time_ns": event["timeUnixNano"],
            "attributes": attributes_of(event.get("attributes", []), where)}


def span_of(span):
    need(span.get("name"), "a span without a name: %r", span)
    where = "span %s" % span["name"]
    check_id(span.get("traceId", ""), 32, where + ".traceId")
    check_id(span.get("spanId", ""), 16, where + ".spanId")
    parent = span.get("parentSpanId", "")
    if parent:
        check_id(parent, 16, where + ".parentSpanId")
    check_flags(span.get("flags", 0), where)
    need(span.get("kind") in (1, 2, 3, 4, 5), "%s: kind %r", where,
         span.get("kind"))
    start, end = span.get("startTimeUnixNano"), span.get("endTimeUnixNano")
    need(start, "%s has no start", where)
    need(end and end >= start, "%s ends (%r) before it starts (%r)",
         where, end, start)
    status = span.get("status", {})
    need(status.get("code", 0) in (0, 1, 2), "%s: status %r", where, status)
    need(not status.get("message") or status["code"] == 2,
         "%s: a description without an error", where)
    return {
        "traceId": span["traceId"], "spanId": span["spanId"],
        "parentSpanId": parent, "traceState": span.get("traceState", ""),
        "flags": span.get("flags", 0), "name": span["name"],
        "kind": span["kind"], "start_ns": start, "end_ns": end,
        "attributes": attributes_of(span.get("attributes", []), where),
        "dropped_attributes": span.get("droppedAttributesCount", 0),
        "events": [event_of(e, where + " event")
                   for e in span.get("events", [])],
        "links": [link_of(k, where + " link") for k in span.get("links", [])],
        "status": status.get("code", 0), "message": status.get("message", ""),
    }


def spans_of(request):
    """Flatten a decoded request; empty envelopes are refused."""
    spans = []
    need(request.get("resourceSpans"), "an empty envelope")
    for group in request["resourceSpans"]:
        need("resource" in group, "no resource")
        resource = attributes_of(group["resource"].get("attributes", []),
                                 "resource")
        need(group.get("scopeSpans"), "a resource without scopes")
        for scope_group in group["scopeSpans"]:
            need("scope" in scope_group, "no scope")
            need(scope_group.get("spans"), "a scope without spans")
            scope = scope_group["scope"]
            for one in scope_group["spans"]:
                span = span_of(one)
                span["scope"] = {"name": scope.get("name", ""),
                                 "version": scope.get("version", "")}
                span["scope_schema"] = scope_group.get("schemaUrl", "")
                span["resource"] = resource
                span["resource_schema"] = group.get("schemaUrl", "")
                spans.append(span)
    return spans
