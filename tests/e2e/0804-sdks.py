#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A program that runs an OpenTelemetry SDK, between two that do not.

All three are under `autotrace run`; the one in the middle is left to its SDK as
soon as that is recognised, and whatever was seen before belongs to the tree.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
import otlp_decode
from daemons import Daemon
from harness import BARE_ONLY, COMMAND, PROGRAMS, check
from sdks import KINDS, Collector
from serving import Back, ask_all, await_spans, headers_of

suite = harness.Suite("sdks")
back = Back()
suite.cleanup(back.close)
COUNT = 6
SERVE = os.path.join(PROGRAMS, "serve.")
PLAIN = ["/usr/bin/python3", "-B", SERVE + "py", "threads"]
HTTP = ("SERVER", "CLIENT")


class Service:
    def __init__(self, name, make, env):
        self.name = name
        self.path = suite.runner.path(name + ".jsonl")
        self.daemon = Daemon(suite.runner, name, lambda port, home: [
            COMMAND, "run", "-q", "--file", self.path, "--",
            *make(str(port))], env)
        self.url = "http://127.0.0.1:%d" % self.daemon.port

    def spans(self):
        return [{**span, "by": self.name}
                for span in otlp_decode.spans_of_file(self.path)
                if KINDS.get(span["kind"]) in HTTP]


def chain_of(number, spans):
    """Who did what, from the last call up to the test's own context."""
    by_id = {span["spanId"]: span for span in spans}
    trace, at = back.contexts[str(number)].split("-")[1:3]
    check(trace == "%032x" % (number + 1), "%d: trace %s", number, trace)
    chain = []
    while at in by_id:
        span = by_id[at]
        check(span["traceId"] == trace, "%d: %s", number, span)
        chain.append("%s %s" % (span["by"], KINDS[span["kind"]]))
        at = span["parentSpanId"]
    check(at == "%016x" % (number + 1), "%d: broken above %s at %s", number,
          chain, at)
    return chain


def run(sdk, make, mode="defer"):
    """Spans of the three services, and of the SDK, once all is told."""
    collector = Collector()
    services = []
    own = {"OTEL_BSP_SCHEDULE_DELAY": "100", "AUTOTRACE_WITH_SDK": mode}
    sdk_own = ["env", *("%s=%s" % pair for pair
                        in collector.environment(sdk).items())]

    def start(name, command):
        services.insert(0, Service(name + "-" + sdk + "-" + mode, command,
                                   own))
        return services[0].url
    try:
        url = start("behind", lambda port: [*PLAIN, port, back.url])
        url = start("middle", lambda port, url=url: [*sdk_own,
                                                     *make(port, url)])
        start("front", lambda port, url=url: [*PLAIN, port, url])
        for number in range(COUNT):
            ask_all(services[0].daemon.port, [number], 1, headers_of)
        told = collector.await_spans(lambda spans: sum(
            KINDS.get(span["kind"]) in HTTP for span in spans) >= 2 * COUNT)
        for service in (services[0], services[-1]):
            await_spans(service.path, COUNT)
    finally:
        for service in services:
            service.daemon.close()
        collector.close()
    spans = {service.name.partition("-")[0]: [
        {**span, "by": span["by"].partition("-")[0]}
        for span in service.spans()] for service in services}
    spans["sdk"] = [{**span, "by": "sdk"} for span in told]
    check(not collector.contexts, "telemetry with context: %s",
          collector.contexts)
    for span in spans["middle"]:
        told_url = span["attributes"].get("url.full", "")
        check("/v1/traces" not in told_url, "telemetry traced: %s", span)
    return spans


OURS = ["front CLIENT", "front SERVER"]
CHAIN = ["behind CLIENT", "behind SERVER", "sdk CLIENT", "sdk SERVER", *OURS]


def add_sdk(sdk, make):
    @suite.case(sdk)
    def _():
        if BARE_ONLY:
            return
        spans = run(sdk, make)
        every = sum(spans.values(), [])
        kinds = [KINDS[span["kind"]] for span in spans["middle"]]
        suite.note("%s: seen before its SDK was recognised: %s", sdk, kinds)
        # One request, whose server span the SDK's hangs below.
        check(kinds == ["SERVER"], "%s", spans["middle"])
        check([*map(chain_of, range(1), [every])] ==
              [CHAIN[:4] + ["middle SERVER"] + OURS], "%s",
              chain_of(0, every))
        for number in range(1, COUNT):
            check(chain_of(number, every) == CHAIN, "%d: %s", number,
                  chain_of(number, every))


def flask(port, url):
    return ["/usr/bin/python3", "-B", SERVE + "py", "flask", port, url]


add_sdk("python", flask)
add_sdk("node", lambda port, url: ["node", SERVE + "js", port, url])
add_sdk("java", lambda port, url: ["java", "-XX:TieredStopAtLevel=1",
                                   os.path.join(PROGRAMS, "Serve.java"), port,
                                   url])


@suite.case("both")
def _():
    if BARE_ONLY:
        return
    spans = run("python", flask, "both")
    every = sum(spans.values(), [])
    kinds = sorted(KINDS[span["kind"]] for span in spans["middle"])
    check(kinds == ["CLIENT"] * COUNT + ["SERVER"] * COUNT, "%s", kinds)
    for number in range(COUNT):
        check(chain_of(number, every) ==
              CHAIN[:4] + ["middle SERVER"] + OURS, "%d: %s", number,
              chain_of(number, every))


sys.exit(suite.main())
