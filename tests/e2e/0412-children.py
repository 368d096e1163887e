#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Children that no fork handler announces are processes of their own; those
that share their parent's memory change nothing in it."""
import collections
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from coverage import HttpSuite
from harness import BARE_ONLY, check, compare_results
from otlp_receiver import OtlpReceiver
from spancheck import check_spans, client_spans

suite = HttpSuite("children")
PARENT = ["", "&asked", "&meanwhile", "&again", "&kept", "&other"]
CHILD = ["", "&kept", "&last"]
OF_THEIR_OWN = ["fork", "_Fork", "fork-call", "clone-call", "clone"]
SHARING = ["vfork", "vfork-exec-fails", "vfork-exec", "spawn", "vfork-call",
           "clone-vfork-call", "clone-vfork", "clone-beside"]


def argv(how):
    return [os.path.join(harness.BUILD, "programs", "life_raw"), how,
            str(suite.server.port)]


def check_who(spans, wanted):
    seen = sorted(s["attributes"]["url.full"].partition("who=")[2]
                  for s in spans)
    check(seen == sorted(wanted), "spans %s", seen)
    names = collections.defaultdict(set)
    for span in spans:
        who = span["attributes"]["url.full"].partition("who=")[2]
        names[who.partition("&")[0]].add(
            span["resource"]["service.instance.id"])
    check(all(len(ids) == 1 for ids in names.values()), "%s", names)
    check(len(set.union(*names.values())) == len(names), "%s", names)


def lost(log):
    if not os.path.exists(log):
        return 0
    with open(log) as file:
        return sum(int(line.split()[1]) for line in file if "spans" in line)


def case(how, wanted):
    @suite.case(how)
    def run(wanted=wanted):
        bare, _ = suite.once(argv(how), False)
        check(bare.out.startswith(b"status 0\n"), "%r", bare.out)
        log = suite.runner.path("log-" + how)
        with OtlpReceiver() as receiver:
            # The exporter is at work when the child is made.
            env = dict(receiver.environment(), OTEL_BSP_SCHEDULE_DELAY="0",
                       AUTOTRACE_LOG=log)
            traced, records = suite.once(argv(how), True, span_file=False,
                                         env=env)
            compare_results(bare, traced)
            check(len(records) == len(wanted), "%d requests", len(records))
            check(traced.seconds < bare.seconds + 1.5, "took %.2f s, bare "
                  "%.2f s", traced.seconds, bare.seconds)
            if BARE_ONLY:
                return
            check(not receiver.errors, "%s", receiver.errors)
            spans = receiver.spans()
            if how in OF_THEIR_OWN and lost(log) == len(CHILD):
                # Made while the exporter was loading: told, not sent.
                suite.note("%s: the child had no exporter", how)
                records = [r for r in records if "child" not in r["target"]]
                wanted = [w for w in wanted if "child" not in w]
            else:
                check(lost(log) == 0, "%d lost", lost(log))
            check_spans(records, spans)
            check_who(client_spans(spans), wanted)


for name in OF_THEIR_OWN:
    case(name, ["parent" + p for p in PARENT] + ["child" + c for c in CHILD])
for name in SHARING:
    case(name, ["parent" + p for p in PARENT])

sys.exit(suite.main())
