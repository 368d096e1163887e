#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""How the library comes into a process: before and after others, twice,
without its exporter, and where it must not look."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from coverage import HttpSuite
from harness import BARE_ONLY, LIBRARY, check, compare_results
from otlp_receiver import OtlpReceiver
from spancheck import check_spans, traceparents

suite = HttpSuite("loading")
suite.runner.let_others_in()
PORT = str(suite.server.port)


def built(name):
    return os.path.join(harness.BUILD, "programs", name)


def load(how, *more):
    return [built("life_load"), how, PORT, *more]


def copy(folder, *names):
    """A copy of our libraries; the first one's path."""
    os.mkdir(suite.runner.path(folder))
    for name in names:
        shutil.copy(os.path.join(harness.BUILD, name),
                    suite.runner.path(folder))
    return os.path.join(suite.runner.path(folder), names[0])


def check_traced(records, spans, untraced=()):
    """Every request has its span; those in `untraced` may go without both."""
    may = [r for r in records if r["target"] in untraced
           and not traceparents(r)]
    check_spans([r for r in records if r not in may], spans)


# ---- constructors, plugins -------------------------------------------------

def early(name, order):
    """A constructor that makes a request before ours has run, or after."""
    @suite.case("constructor-" + name)
    def run():
        library = built("libearly.so")
        env = {"EARLY_PORT": PORT, "LD_PRELOAD": library}
        bare, before = suite.once(load("early"), False, env=env)
        bare.expect_status(0)
        if not BARE_ONLY:
            env["LD_PRELOAD"] = order % {"ours": LIBRARY, "early": library}
        traced, after = suite.once(load("early"), True, env=env)
        compare_results(bare, traced)
        check(len(before) == len(after) == 3, "%d requests", len(after))
        if not BARE_ONLY:
            check_traced(after, traced.spans(), ["/ok?early"])


early("first", "%(ours)s:%(early)s")
early("last", "%(early)s:%(ours)s")


def plugin(name, requests, **env):
    """What the exporter needs of the loader it cannot have meanwhile."""
    @suite.case(name)
    def run():
        argv = load("plugin", built("libplugin.so"))
        env.update(PLUGIN_PORT=PORT)
        bare, _ = suite.once(argv, False, env=env)
        bare.expect_status(0)
        with OtlpReceiver() as receiver:
            traced, records = suite.once(
                argv, True, span_file=False,
                env=dict(env, OTEL_BSP_SCHEDULE_DELAY="0",
                         **receiver.environment()))
            compare_results(bare, traced)
            check(len(records) == requests, "%d requests", len(records))
            if not BARE_ONLY:
                spans = receiver.spans()
                had = {span["spanId"] for span in spans}
                # A child made while the exporter is loading has none.
                check_spans([r for r in records if r["target"] != "/ok?child"
                             or traceparents(r)[0].split("-")[2] in had],
                            spans)
                check(traced.seconds < bare.seconds + 1.5, "took %.1f s",
                      traced.seconds)


plugin("plugin-waits-for-a-thread", 2)
plugin("plugin-forks", 3, PLUGIN_FORKS="1")


@suite.case("libraries-come-and-go")
def churn():
    argv = load("churn", built("libplugin.so"))
    bare, _ = suite.once(argv, False)
    bare.expect_status(0)
    with OtlpReceiver() as receiver:
        traced, records = suite.once(
            argv, True, span_file=False, env=dict(
                receiver.environment(), OTEL_BSP_SCHEDULE_DELAY="0"))
        compare_results(bare, traced)
        if not BARE_ONLY:
            check_spans(records, receiver.spans())


# ---- copies ----------------------------------------------------------------

def second(name, order):
    """Only one of them is at work, whatever the other one is called."""
    @suite.case("second-copy-" + name)
    def run():
        if BARE_ONLY:
            return
        other = copy("copy-" + name, "libautotrace.so",
                     "libautotrace-exporter.so")
        renamed = os.path.join(os.path.dirname(other), "other.so")
        os.rename(other, renamed)
        argv = [built("life_exec"), "fail", PORT]
        bare, _ = suite.once(argv, False)
        traced, records = suite.once(argv, True, env={
            "LD_PRELOAD": order % {"ours": LIBRARY, "other": renamed}})
        compare_results(bare, traced)
        check_spans(records, traced.spans())


second("last", "%(ours)s:%(other)s")
second("first", "%(other)s:%(ours)s")


@suite.case("no-exporter")
def no_exporter():
    """The program is unharmed, and all that is lost is counted."""
    if BARE_ONLY:
        return
    alone = copy("alone", "libautotrace.so")
    log = suite.runner.path("log-alone")
    argv = [built("life_exec"), "fail", PORT]
    bare, _ = suite.once(argv, False)
    traced, records = suite.once(argv, True, env={
        "LD_PRELOAD": alone, "AUTOTRACE_LOG": log})
    compare_results(bare, traced)
    check(traced.spans() == [], "spans without an exporter")
    with open(log) as file:
        text = file.read()
    check("]: %d spans dropped: the exporter library could not be loaded\n" %
          len(records) in text, "%d requests; the log: %r", len(records), text)


# ---- AT_SECURE -------------------------------------------------------------

SECURE = r"""
#include <sys/auxv.h>
#include "tests/programs/http.h"

int main(int argc, char **argv)
{
	(void)argc;
	http_get(atoi(argv[1]), "/ok");
	printf("secure %lu\n", getauxval(AT_SECURE));
	return 0;
}
"""


@suite.case("secure")
def secure():
    """Linked against us, so that the loader lets us in: still inert."""
    if os.geteuid() != 0:
        suite.note("secure: not root, not run")
        return
    library = copy("secure", "libautotrace.so", "libautotrace-exporter.so")
    folder = os.path.dirname(library)
    program = os.path.join(folder, "program")
    subprocess.run(
        ["gcc", "-D_GNU_SOURCE", "-I", harness.ROOT, "-o", program,
         suite.runner.write("secure.c", SECURE), "-Wl,--no-as-needed", library,
         "-Wl,--disable-new-dtags,-rpath," + folder], check=True)
    for mode, expected in ((0o755, b"secure 0\n"), (0o4755, b"secure 1\n")):
        os.chmod(program, mode)
        where = suite.runner.path("for-nobody-%o" % mode)
        os.mkdir(where)
        os.chmod(where, 0o777)
        path = os.path.join(where, "spans.jsonl")
        result, records = suite.once(
            [program, PORT], False, user="nobody", cwd=where,
            env={"AUTOTRACE_FILE": path})
        result.expect_status(0)
        check(result.out == expected, "%r", result.out)
        inert = mode != 0o755
        check(bool(traceparents(records[0])) != inert, "%s",
              records[0]["head"])
        check(os.path.exists(path) != inert, "%s", os.listdir(where))


sys.exit(suite.main())
