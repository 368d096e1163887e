#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""`autotrace config`: every setting, where it comes from, no secrets."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from harness import BARE_ONLY, COMMAND, ROOT, check

suite = harness.Suite("cli-config")


def case(name):
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


def config(env=None, *options):
    result = suite.runner.run([COMMAND, "config", *options], env=env)
    result.expect_status(0)
    check(result.err == b"", "%r", result.err)
    return result.out.decode()


def rows(env=None):
    """{setting: (value, default, source)}"""
    lines = config(env).splitlines()
    found = {}
    for text in lines[1:]:
        fields = re.split("  +", text, maxsplit=3)
        found[fields[0]] = tuple(fields[1:])
    return found


def settings():
    with open(os.path.join(ROOT, "core", "config.def")) as file:
        return re.findall(r'^CONFIG\(\w+, \w+, "(\w+)"', file.read(), re.M)


@case("every-setting-in-order")
def every():
    names = settings()
    check(len(names) > 20 and list(rows()) == names, "%s", list(rows()))
    for name, (value, standard, source) in rows().items():
        check(value == standard and source == "default", "%s: %s %s %s", name,
              value, standard, source)


@case("sources")
def sources():
    found = rows({
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "0",
        "OTEL_BSP_SCHEDULE_DELAY": "soon",
        "OTEL_TRACES_SAMPLER": "",
        "OTEL_TRACES_SAMPLER_ARG": "0.5",
        "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "zip",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    })
    for name, expected in (
            ("OTEL_SERVICE_NAME", ("shop", "-", "OTEL_SERVICE_NAME")),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
             ("none", "10000 ms", "OTEL_EXPORTER_OTLP_TIMEOUT")),
            ("OTEL_BSP_SCHEDULE_DELAY",
             ("5000 ms", "5000 ms", "default; OTEL_BSP_SCHEDULE_DELAY "
              "rejected: soon: not a number")),
            ("OTEL_TRACES_SAMPLER", ("parentbased_always_on",
                                     "parentbased_always_on", "default")),
            ("OTEL_TRACES_SAMPLER_ARG",
             ("-", "-", "default; OTEL_TRACES_SAMPLER_ARG ignored")),
            ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
             ("gzip", "none", "OTEL_EXPORTER_OTLP_COMPRESSION; "
              "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION rejected"))):
        check(found[name] == expected, "%s: %s", name, found[name])


SECRETS = {
    "OTEL_EXPORTER_OTLP_HEADERS": "api-key=hush1,x-token=hush2",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "https://me:hush3@host:4318/x",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://hush4@host/x",
}


@case("secrets-are-masked")
def secrets():
    for text in (config(SECRETS), config(SECRETS, "--json")):
        check("hush" not in text and "api-key=***,x-token=***" in text and
              "https://***@host:4318/x" in text, "%s", text)


@case("json")
def as_json():
    env = dict(SECRETS, OTEL_SERVICE_NAME='a"b\\c\nd\u00e9',
               OTEL_BSP_MAX_QUEUE_SIZE="-1")
    found = {item["name"]: item for item in json.loads(config(env, "--json"))}
    check(list(found) == settings(), "%s", list(found))
    name = found["OTEL_SERVICE_NAME"]
    check(name["value"] == 'a"b\\c\nd\u00e9' and
          name["source"] == "environment" and
          name["variable"] == "OTEL_SERVICE_NAME", "%s", name)
    queue = found["OTEL_BSP_MAX_QUEUE_SIZE"]
    check(queue["value"] == "2048" == queue["default"] and
          queue["source"] == "rejected" and queue["given"] == "-1", "%s",
          queue)
    check(found["OTEL_TRACES_SAMPLER"]["given"] is None and
          all(item["help"] for item in found.values()), "%s", found)


@case("values-cannot-steer-the-terminal")
def escapes():
    text = config({"OTEL_SERVICE_NAME": "\x1b[31mred",
                   "OTEL_BSP_SCHEDULE_DELAY": "\x1b[2J"})
    check("\x1b" not in text and "\\x1b[31mred" in text, "%r", text)


sys.exit(suite.main())
