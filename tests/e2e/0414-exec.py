#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Exec that works, that fails, that is tried twenty times, and at the limit of
what the kernel takes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from coverage import HttpSuite
from harness import BARE_ONLY, check, compare_results
from otlp_receiver import BlackHole, OtlpReceiver, refused_port
from spancheck import check_spans

suite = HttpSuite("exec")
EXIT_MS = 300
# What a busy machine may add to a program that ends within milliseconds.
SLACK_S = 0.6


def program(how):
    return [os.path.join(harness.BUILD, "programs", "life_exec"), how,
            str(suite.server.port)]


def case(how, requests, **options):
    @suite.case(how)
    def run():
        bare, _ = suite.once(program(how), False, **options)
        bare.expect_status(0)
        with OtlpReceiver() as receiver:
            traced, records = suite.once(
                program(how), True, span_file=False,
                env=receiver.environment(), **options)
            compare_results(bare, traced)
            check(len(records) == requests, "%d requests", len(records))
            if not BARE_ONLY:
                check(not receiver.errors, "%s", receiver.errors)
                check_spans(records, receiver.spans())


case("search", 2)
case("fail", 3)
case("succeed", 3)
for how in ("execve", "execv", "execle", "execvpe", "execveat", "spawn"):
    case(how, 2)


def dead(name, environment):
    """Twenty failing execs and the end together have one time budget."""
    bare, _ = suite.once(program("search"), False)
    traced, _ = suite.once(program("search"), True, span_file=False, env=dict(
        environment, AUTOTRACE_EXIT_TIMEOUT=str(EXIT_MS)))
    compare_results(bare, traced)
    took = traced.seconds - bare.seconds
    check(took < EXIT_MS / 1000 + SLACK_S, "%.2f s more than bare", took)
    suite.note("20 failing execs, collector %s, %d ms to leave: %.0f ms more",
               name, EXIT_MS, took * 1e3)


@suite.case("search-with-a-silent-collector")
def silent():
    with BlackHole() as hole:
        dead("silent", hole.environment())


@suite.case("search-with-no-collector")
def nobody():
    held, port = refused_port()
    with held:
        dead("absent", {"OTEL_EXPORTER_OTLP_ENDPOINT":
                        "http://127.0.0.1:%d" % port})


sys.exit(suite.main())
