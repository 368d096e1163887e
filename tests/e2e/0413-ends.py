#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Every way to end, and daemons: what had ended before a normal end is
delivered, a daemon goes on, and its descriptors are its own."""
import os
import select
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from coverage import HttpSuite
from harness import BARE_ONLY, check, compare_results, differ
from otlp_receiver import OtlpReceiver
from spancheck import check_spans, client_spans

suite = HttpSuite("ends")
PORT = str(suite.server.port)


def program(name, *arguments):
    return [os.path.join(harness.BUILD, "programs", name), *arguments]


def ends(how, status, requests):
    @suite.case(how)
    def run():
        argv = program("life_ends", how, PORT)
        bare, _ = suite.once(argv, False)
        bare.expect_status(status)
        with OtlpReceiver() as receiver:
            traced, records = suite.once(argv, True, span_file=False,
                                         env=receiver.environment())
            compare_results(bare, traced)
            check(len(records) == requests, "%d requests", len(records))
            if not BARE_ONLY:
                check(not receiver.errors, "%s", receiver.errors)
                check_spans(records, receiver.spans())


ends("return", 2, 2)
ends("exit", 3, 2)
ends("_exit", 4, 1)
ends("_Exit", 5, 1)
ends("quick_exit", 6, 2)
ends("exit_group", 7, 1)
ends("thread", 9, 1)
ends("pthread_exit", 10, 2)


def dies(how, signal):
    """Without a hub what waited is lost; with one, nothing."""
    @suite.case(how)
    def run():
        argv = program("life_ends", how, PORT)
        bare, _ = suite.once(argv, False)
        bare.expect_status(-signal)
        traced, _ = suite.once(argv, True)
        compare_results(bare, traced)
        if BARE_ONLY:
            return
        suite.server.clear()
        result = suite.runner.autotrace_run(argv, ["--quiet"])
        suite.server.drain()
        result.expect_status(128 + signal)
        check_spans(suite.server.records(), result.spans())


dies("abort", 6)
dies("sigterm", 15)


# ---- daemons ---------------------------------------------------------------

def wait_gone(pid):
    """The daemon is nobody's child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    ended = poller.poll(20000)
    os.close(descriptor)
    if not ended:
        os.kill(pid, 9)
        raise harness.Failure("the daemon does not end")


def one_daemon(how, traced, receiver):
    """Its report, and the requests; spans are where they should be meanwhile
    and afterwards."""
    suite.server.clear()
    directory = suite.runner.fresh()
    os.mkfifo(os.path.join(directory, "go"))
    env = dict(receiver.environment(), OTEL_BSP_SCHEDULE_DELAY="10")
    suite.runner.run(program("life_daemon", how, PORT), env=env,
                     traced=traced, cwd=directory, span_file=False,
                     collect=False).expect_status(0)
    suite.server.wait_for(3)
    traced = traced and not BARE_ONLY
    if traced:
        spans = receiver.wait_spans(3)
        check(len(spans) == 3, "%d spans while it runs", len(spans))
    with open(os.path.join(directory, "go"), "w") as go:
        go.write("!")
    with open(os.path.join(directory, "pid")) as file:
        wait_gone(int(file.read()))
    suite.server.drain()
    records = suite.server.records()
    check(len(records) == 4, "%d requests", len(records))
    if traced:
        check(not receiver.errors, "%s", receiver.errors)
        check_spans(records, receiver.spans())
        names = {s["resource"]["service.instance.id"]
                 for s in client_spans(receiver.spans())}
        check(len(names) == 2, "%d processes", len(names))
    with open(os.path.join(directory, "report")) as file:
        return file.read()


def daemon(how):
    @suite.case("daemon-" + how)
    def run():
        with OtlpReceiver() as receiver:
            bare = one_daemon(how, False, receiver)
            differ("descriptors", bare, one_daemon(how, True, receiver))


for way in ("daemon", "close", "syscall", "close_range", "closefrom"):
    daemon(way)

sys.exit(suite.main())
