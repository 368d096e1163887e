#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# alone
# timeout: 240
"""What a collector, alive or not, adds to the life of a short program."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from harness import BARE_ONLY, COMMAND, Suite, check
from otlp_receiver import BlackHole, OtlpReceiver, never, refused_port
from timing import Service, added_ms, preload, within

LIVE_MS = 30
REFUSED_MS = 50
TIMEOUT_MS = 1000
SLACK_MS = 150

suite = Suite("exit-delay")
truth = Service("truth_server.py", "--log", os.devnull)
suite.cleanup(truth.close)
CURL = ["curl", "-s", "http://127.0.0.1:%d/ok" % truth.port]


MARK = "/dev/shm/autotrace-silent-%d" % os.geteuid()


def forget():
    """What one round has left for others would spare the next its wait."""
    if os.path.lexists(MARK):
        os.unlink(MARK)


suite.cleanup(forget)


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
                suite.runner, CURL, endpoint(hole.port, **env), rounds=3,
                before=forget))
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


def script(count):
    return ["sh", "-c", "i=0; while [ $i -lt %d ]; do %s >/dev/null; "
            "i=$((i+1)); done" % (count, " ".join(CURL))]


def pay_once(name, argv, bound, environment):
    """All of a tree together wait once."""
    @suite.case(name)
    def run():
        if BARE_ONLY:
            return
        with BlackHole() as hole:
            figure = within(bound, lambda: added_ms(
                suite.runner, argv, environment(hole.port), rounds=3,
                before=forget))
        suite.note("%s, black hole: %+.0f ms (bound %d)", name, figure, bound)
        check(figure <= bound, "%.0f ms were paid", figure)


pay_once("hundred-processes-pay-once",
         [COMMAND, "run", "--quiet", "--", *script(100)],
         TIMEOUT_MS + 3 * SLACK_MS,
         lambda port: {"OTEL_EXPORTER_OTLP_ENDPOINT":
                       "http://127.0.0.1:%d" % port})
# Without a hub those that know of the silence still try, for 60 ms each.
pay_once("twenty-preloaded-processes-pay-once", script(20),
         TIMEOUT_MS + 19 * 60 + 3 * SLACK_MS, endpoint)


@suite.case("a-collector-that-is-back-is-used-again")
def back_again():
    """It is known to be silent until it has taken a span again."""
    if BARE_ONLY:
        return
    forget()
    with OtlpReceiver() as receiver:
        receiver.script = [never]
        for marked in (True, False, False):
            suite.runner.run(CURL, endpoint(receiver.port))
            check(os.path.lexists(MARK) == marked, "marked: %s",
                  not marked)
        check(not receiver.errors, "%s", receiver.errors)
        check(len(receiver.posts) == 3, "%d posts", len(receiver.posts))


sys.exit(suite.main())
