#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# alone
"""What a collector, alive or not, adds to the life of a short program."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from harness import BARE_ONLY, COMMAND, Suite, check
from otlp_receiver import BlackHole, refused_port
from timing import Service, added_ms, preload, within

LIVE_MS = 30
REFUSED_MS = 50
TIMEOUT_MS = 1000
SLACK_MS = 150

suite = Suite("exit-delay")
truth = Service("truth_server.py", "--log", os.devnull)
suite.cleanup(truth.close)
CURL = ["curl", "-s", "http://127.0.0.1:%d/ok" % truth.port]


def endpoint(port, **more):
    return preload(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:%d" % port,
                   **more)


@suite.case("live")
def live():
    with Service("otlp_receiver.py", "--quiet") as receiver:
        figure = within(LIVE_MS, lambda: added_ms(
            suite.runner, CURL, endpoint(receiver.port)))
        spans, errors = map(int, receiver.close().split())
    suite.note("live collector: %+.1f ms (bound %d)", figure, LIVE_MS)
    check(figure <= LIVE_MS, "a live collector adds %.1f ms", figure)
    check(errors == 0, "%d errors at the receiver", errors)
    check(BARE_ONLY or spans % 15 == 0 and spans, "%d spans", spans)


@suite.case("refused")
def refused():
    held, port = refused_port()
    with held:
        figure = within(REFUSED_MS, lambda: added_ms(
            suite.runner, CURL, endpoint(port)))
    suite.note("refused: %+.1f ms (bound %d)", figure, REFUSED_MS)
    check(figure <= REFUSED_MS, "a refused export adds %.1f ms", figure)


def silent(name, accepting, timeout_ms, **env):
    @suite.case(name)
    def run():
        with BlackHole(accepting) as hole:
            figure = within(timeout_ms + SLACK_MS, lambda: added_ms(
                suite.runner, CURL, endpoint(hole.port, **env), rounds=3))
        suite.note("%s: %+.0f ms (bound %d)", name, figure, timeout_ms)
        check(figure <= timeout_ms + SLACK_MS, "adds %.0f ms", figure)
        check(BARE_ONLY or figure >= timeout_ms * 0.5,
              "adds only %.0f ms: did it try at all?", figure)


silent("black-hole", True, TIMEOUT_MS)
silent("full-backlog", False, TIMEOUT_MS)
silent("short-timeout", True, 200, AUTOTRACE_EXIT_TIMEOUT="200")


@suite.case("no-request-no-delay")
def no_request():
    """A program that made no request does not wait for anybody."""
    with BlackHole() as hole:
        figure = within(20, lambda: added_ms(
            suite.runner, ["true"], endpoint(hole.port)))
        check(hole.connections == 0, "%d connections", hole.connections)
    suite.note("no request, black hole: %+.1f ms", figure)
    check(figure <= 20, "adds %.1f ms", figure)


@suite.case("hundred-processes-pay-once")
def pay_once():
    if BARE_ONLY:
        return
    script = "i=0; while [ $i -lt 100 ]; do %s >/dev/null; i=$((i+1)); done" \
        % " ".join(CURL)
    argv = [COMMAND, "run", "--quiet", "--", "sh", "-c", script]
    with BlackHole() as hole:
        figure = within(TIMEOUT_MS + 3 * SLACK_MS, lambda: added_ms(
            suite.runner, argv,
            {"OTEL_EXPORTER_OTLP_ENDPOINT": hole.endpoint}, rounds=3))
    suite.note("100 processes, black hole: %+.0f ms (bound %d)", figure,
               TIMEOUT_MS)
    check(figure <= TIMEOUT_MS + 3 * SLACK_MS, "100 processes paid %.0f ms",
          figure)


sys.exit(suite.main())
