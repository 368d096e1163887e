#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""In the job of a CI system the resource says which job it is."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite
from harness import BARE_ONLY, COMMAND, HERE, check
from otlp_receiver import OtlpReceiver

suite = HttpSuite("ci")
url = suite.server.url

with open(os.path.join(os.path.dirname(HERE), "vectors", "ci.jsonl")) as lines:
    VECTORS = [json.loads(line) for line in lines]
GITHUB = VECTORS[0]


def described(resource):
    return {key: value for key, value in resource.items()
            if key.startswith(("cicd.", "vcs."))}


def delivered(argv, env):
    """Resource of the spans that reach a collector, and the program's run."""
    with OtlpReceiver() as receiver:
        result = suite.runner.run(argv, env={**receiver.environment(), **env},
                                  traced=True, span_file=False,
                                  preload=argv[0] != COMMAND)
        spans = receiver.wait_spans(1)
        check(not receiver.errors, "%s", receiver.errors)
    resources = {json.dumps(span["resource"], sort_keys=True)
                 for span in spans}
    check(len(resources) == 1, "several resources: %s", resources)
    return json.loads(resources.pop()), result


def check_vector(vector, preload):
    curl = ["curl", "-sS", url("/ok")]
    argv = curl if preload else [COMMAND, "run", "-q", "--", *curl]
    resource, result = delivered(argv, vector["env"])
    bare = suite.runner.run(curl, env=vector["env"])
    check((result.status, result.out) == (bare.status, bare.out),
          "another result")
    seen = described(resource)
    for key, value in vector["out"].items():
        check(seen.get(key) == value, "%s is %r, not %r", key, seen.get(key),
              value)
    for key in vector.get("absent", ()):
        check(key not in seen, "%s is %r", key, seen.get(key))
    if not vector["out"]:
        check(not seen, "%s", seen)
    name = vector["out"].get("vcs.repository.name")
    expected = "unknown_service:curl" if preload or not name else name
    check(resource["service.name"] == expected, "service.name %s, not %s",
          resource["service.name"], expected)


if not BARE_ONLY:
    for row in VECTORS:
        suite.add("preload-" + row["id"], check_vector, row, True)
        suite.add("run-" + row["id"], check_vector, row, False)


@suite.case("the-user-knows-better")
def users():
    if BARE_ONLY:
        return
    env = {**GITHUB["env"], "OTEL_RESOURCE_ATTRIBUTES":
           "vcs.owner.name=me,cicd.pipeline.run.id=x"}
    resource, _ = delivered([COMMAND, "run", "-q", "--service", "mine", "--",
                             "curl", "-sS", url("/ok")], env)
    check(resource["vcs.owner.name"] == "me"
          and resource["cicd.pipeline.run.id"] == "x"
          and resource["vcs.repository.name"] == "my-repo"
          and resource["service.name"] == "mine", "%s", resource)


@suite.case("off")
def off():
    if BARE_ONLY:
        return
    env = {**GITHUB["env"], "AUTOTRACE_CI": "false"}
    resource, _ = delivered(["curl", "-sS", url("/ok")], env)
    check(not described(resource), "%s", resource)


@suite.case("what-the-program-does-to-its-environment-does-not-matter")
def changed():
    """A program that empties environ while it runs is described all the same,
    and a secret that it sets later is not read."""
    if BARE_ONLY:
        return
    script = ("import os, urllib.request\n"
              "os.environ.clear()\n"
              "os.environ['GITHUB_RUN_ID'] = 'later'\n"
              "urllib.request.urlopen(%r).read()\n" % url("/ok"))
    resource, _ = delivered([sys.executable, "-c", script], GITHUB["env"])
    check(resource["cicd.pipeline.run.id"] ==
          GITHUB["out"]["cicd.pipeline.run.id"], "%s", resource)


@suite.case("nobody-is-asked")
def passive():
    """Detection reads the environment and nothing else."""
    if BARE_ONLY:
        return
    trace = suite.runner.path("trace")
    suite.runner.run(["strace", "-f", "-qq", "-o", trace, "-e",
                      "trace=connect,open,openat", "env",
                      "LD_PRELOAD=" + os.path.join(os.path.dirname(COMMAND),
                                                   "libautotrace.so"),
                      "AUTOTRACE_FILE=" + suite.runner.path("spans"),
                      "curl", "-sS", url("/ok")], env=GITHUB["env"],
                     collect=False).expect_status(0)
    with open(trace) as file:
        lines = file.read()
    check(lines.count("AF_INET") == 1, "%s", lines)
    check("/proc/self/environ" in lines, "not read?\n%s", lines)


sys.exit(suite.main())
