#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Odd processes: musl, static, setuid, other preloads, no stderr, bad values.

All of them run as if we were not there.
"""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite, want
from harness import BARE_ONLY, LIBRARY, check, compare_results
from spancheck import check_spans, traceparents

suite = HttpSuite("company")
suite.runner.let_others_in()
url = suite.server.url
CLIENT = r"""
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	char text[2000];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ssize_t got;

	(void)argc;
	to.sin_port = htons(atoi(argv[1]));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return 1;
	snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s"
		 "\r\nConnection: close\r\n\r\n", argv[2], argv[1]);
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return 2;
	while ((got = read(fd, text, sizeof(text))) > 0)
		fwrite(text, 1, got, stdout);
	close(fd);
	puts("done");
	return 5;
}
"""
source = suite.runner.write("client.c", CLIENT)


def build(name, *command):
    path = suite.runner.path(name)
    subprocess.run([*command, "-O1", "-o", path, source], check=True)
    return [path, str(suite.server.port), "/ok"]


def unseen(name, argv, status=5, **options):
    """Runs as bare; requests go out as they are."""
    @suite.case(name)
    def run():
        bare, before = suite.once(argv, False, **options)
        bare.expect_status(status)
        traced, after = suite.once(argv, True, **options)
        compare_results(bare, traced)
        check([r["head"] for r in before] == [r["head"] for r in after],
              "%s", after)
        check(traced.spans() == [], "%s", traced.spans())


suite.http("glibc", build("client-glibc", "gcc"), [want("GET", "/ok", 200)],
           status=5)


@suite.case("musl")
def musl():
    """Starts and runs; traced or not, the server sees a sane request."""
    argv = build("client-musl", "musl-gcc")
    bare, before = suite.once(argv, False)
    bare.expect_status(5)
    traced, after = suite.once(argv, True)
    compare_results(bare, traced)
    check(len(after) == 1, "%d requests", len(after))
    if BARE_ONLY:
        return
    if traceparents(after[0]):
        check_spans(after, traced.spans())
    else:
        check(before[0]["head"] == after[0]["head"], "%s", after[0]["head"])
    suite.note("musl: %s", "traced" if traceparents(after[0]) else "inert")


unseen("musl-static", build("client-musl-static", "musl-gcc", "-static"))
unseen("static", build("client-static", "gcc", "-static"))


@suite.case("setuid")
def setuid():
    """AT_SECURE: no trace of us, above all no file made as root."""
    if os.geteuid() != 0:
        suite.note("setuid: not root, not run")
        return
    path = suite.runner.path("client-setuid")
    shutil.copy(build("client-plain", "gcc")[0], path)
    os.chmod(path, 0o4755)
    argv = [path, str(suite.server.port), "/ok"]
    where = suite.runner.path("for-nobody")
    os.mkdir(where)
    os.chmod(where, 0o777)
    traced, after = suite.once(argv, True, user="nobody", span_file=False,
                               cwd=where, env={"AUTOTRACE_FILE":
                                               where + "/spans.jsonl"})
    traced.expect_status(5)
    check(not traceparents(after[0]), "%s", after[0]["head"])
    check(os.listdir(where) == [], "%s", os.listdir(where))


@suite.case("unprivileged-user")
def unprivileged():
    """As nobody, who may not write the file: nothing but no spans."""
    if os.geteuid() != 0:
        return
    argv = build("client-nobody", "gcc")
    traced, after = suite.once(argv, True, user="nobody", cwd="/",
                               span_file=False, collect=False,
                               env={"AUTOTRACE_FILE": "/root/x.jsonl"})
    traced.expect_status(5)
    check(traced.err == b"", "%r", traced.err)
    check(not os.path.exists("/root/x.jsonl"), "nobody wrote /root")


# ---- our own silence -------------------------------------------------------

BAD = {"OTEL_BSP_MAX_QUEUE_SIZE": "-1", "OTEL_BSP_SCHEDULE_DELAY": "5s",
       "OTEL_TRACES_SAMPLER": "sometimes", "OTEL_PROPAGATORS": "pigeon",
       "OTEL_EXPORTER_OTLP_ENDPOINT": "not a url", "OTEL_SDK_DISABLED": "1",
       "OTEL_EXPORTER_OTLP_HEADERS": "=,=", "AUTOTRACE_EXIT_TIMEOUT": "soon",
       "OTEL_RESOURCE_ATTRIBUTES": "a=1,broken", "AUTOTRACE_HUB": "nonsense",
       "TRACEPARENT": "00-zz", "AUTOTRACE_URL_QUERY": "eat",
       "OTEL_TRACES_SAMPLER_ARG": "abc", "AUTOTRACE_PROPAGATE_TO": ",,"}


@suite.case("bad-settings-are-silent")
def bad_settings():
    argv = ["curl", "-sS", url("/ok")]
    bare, _ = suite.once(argv, False)
    for name, value in BAD.items():
        traced, after = suite.once(argv, True, env={name: value})
        compare_results(bare, traced)
    traced, after = suite.once(argv, True, env=BAD)
    compare_results(bare, traced)


@suite.case("log-when-asked")
def log_when_asked():
    if BARE_ONLY:
        return
    argv = ["curl", "-sS", url("/ok")]
    log = suite.runner.path("library.log")
    traced, _ = suite.once(argv, True, env={
        "AUTOTRACE_LOG": log, "OTEL_BSP_MAX_QUEUE_SIZE": "-1"})
    check(traced.err == b"", "%r", traced.err)
    with open(log) as file:
        text = file.read()
    check("OTEL_BSP_MAX_QUEUE_SIZE" in text, "log %r", text)


@suite.case("empty-values-are-unset")
def empty_values():
    argv = ["curl", "-sS", url("/ok")]
    env = {name: "" for name in BAD}
    traced, after = suite.once(argv, True, env=env)
    traced.expect_status(0)
    if not BARE_ONLY:
        check_spans(after, traced.spans())


@suite.case("no-standard-streams")
def no_streams():
    """Descriptors 0 to 2 closed: ours must not land there."""
    script = "exec 0<&- 1>&- 2>&-; exec curl -sS -o out %s" % url("/ok")
    bare, _ = suite.once(["sh", "-c", script], False)
    traced, after = suite.once(["sh", "-c", script], True)
    compare_results(bare, traced)
    if not BARE_ONLY:
        check_spans(after, traced.spans())


@suite.case("descriptor-numbers")
def descriptors():
    """The program's own descriptors get the numbers that they would have."""
    script = ("import os, sys, urllib.request as u\n"
              "print(sorted(os.listdir('/proc/self/fd')))\n"
              "u.urlopen(sys.argv[1]).read()\n"
              "print(sorted(os.listdir('/proc/self/fd')))\n"
              "print(os.open('/dev/null', 0))\n"
              "u.urlopen(sys.argv[1]).read()\n"
              "print(sorted(os.listdir('/proc/self/fd')), len(os.listdir("
              "'/proc/self/task')) < 3)\n")
    suite.run_http(["/usr/bin/python3", "-c", script, url("/ok")],
                   [want("GET", "/ok", 200)] * 2,
                   env={"OTEL_BSP_SCHEDULE_DELAY": "1"})


@suite.case("closes-everything")
def closes_everything():
    """A program that closes all descriptors between its requests."""
    script = ("import os, sys, urllib.request as u\n"
              "for _ in range(3):\n"
              "    u.urlopen(sys.argv[1]).read()\n"
              "    os.closerange(3, 5000)\n"
              "print('done')\n")
    suite.run_http(["/usr/bin/python3", "-c", script, url("/ok")],
                   [want("GET", "/ok", 200)] * 3,
                   env={"OTEL_BSP_SCHEDULE_DELAY": "1"})


@suite.case("preloaded-twice")
def twice():
    if BARE_ONLY:
        return
    copy = suite.runner.path("copy.so")
    shutil.copy(LIBRARY, copy)
    traced, records = suite.once(["curl", "-sS", url("/ok")], True, env={
        "LD_PRELOAD": LIBRARY + ":" + copy})
    traced.expect_status(0)
    check_spans(records, traced.spans())


@suite.case("low-limits")
def low_limits():
    """Few descriptors and little stack are the program's own business."""
    script = "ulimit -n 16; ulimit -s 512; exec curl -sS %s" % url("/ok")
    suite.run_http(["sh", "-c", script], [want("GET", "/ok", 200)])


sys.exit(suite.main())
