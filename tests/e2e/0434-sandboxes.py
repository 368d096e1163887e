#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Programs that give up privileges, or lock themselves in, while we export.

No thread of ours keeps what was dropped, none is started behind a filter, no
call of ours meets one, and the spans from before are delivered.
"""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from harness import BARE_ONLY, BUILD, LONG, Suite, check, compare_results

suite = Suite("sandboxes")
PROGRAM = os.path.join(BUILD, "programs", "sandbox")
TURNS = 20 if LONG else 3
BUSY = {"OTEL_BSP_SCHEDULE_DELAY": "1", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2",
        "OTEL_BSP_MAX_QUEUE_SIZE": "2048"}


suite.runner.let_others_in()


def file_for_all():
    """That the program may write to when it is somebody else."""
    path = suite.runner.write("spans-of-all.jsonl", "")
    os.chmod(path, 0o666)
    return path


def run(argv, spans):
    bare = suite.runner.run(argv, timeout_s=20).expect_status(7)
    for _ in range(TURNS):
        path = file_for_all()
        traced = suite.runner.run(argv, traced=True, span_file=False, env={
            **BUSY, "AUTOTRACE_FILE": path}, timeout_s=20)
        traced.span_file = path
        compare_results(bare, traced)
        if not BARE_ONLY:
            check(len(traced.spans()) == spans, "%d spans, expected %d",
                  len(traced.spans()), spans)


def silent(argv):
    """The exporter is in the middle of a transfer that never ends."""
    bare = suite.runner.run(argv, timeout_s=20).expect_status(7)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        traced = suite.runner.run(argv, traced=True, span_file=False, env={
            **BUSY, "AUTOTRACE_EXIT_TIMEOUT": "300",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:%d" %
            listener.getsockname()[1]}, timeout_s=20)
        compare_results(bare, traced)


for what in ("capset", "capbset", "nnp", "securebits", "setuid", "unshare",
             "setns", "landlock", "probe"):
    if os.geteuid() != 0 and what not in ("nnp", "landlock", "probe"):
        continue
    for how in ([], ["raw"]):
        suite.add("-".join([what, *how]), run, [PROGRAM, what, *how], 55)
# Behind a filter nothing is traced.
for what in ("filter", "seccomp", "few"):
    for how in ([], ["raw"]):
        suite.add("-".join([what, *how]), run, [PROGRAM, what, *how], 55)
for what in ("nnp", "filter", "few", "unshare"):
    if os.geteuid() == 0 or what != "unshare":
        suite.add("silent-collector-" + what, silent, [PROGRAM, what])


@suite.case("filter-under-autotrace-run")
def under_run():
    """The hub needs no thread; behind the filter nothing is traced."""
    if BARE_ONLY:
        return
    for what in ("filter", "few"):
        result = suite.runner.autotrace_run([PROGRAM, what], ["--quiet"])
        result.expect_status(7)
        names = [span["name"] for span in result.spans()]
        check(names.count("GET") == 2 * 55, "%d", names.count("GET"))


sys.exit(suite.main())
