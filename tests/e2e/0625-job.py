#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""`autotrace job begin` and `end`: the steps of a job in one trace, though
nobody wraps them, and a build that never fails of it."""
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import HttpSuite
from harness import (BARE_ONLY, COMMAND, HERE, ROOT, check,
                     clean_environment)
from otlp_decode import spans_of_file
from otlp_receiver import OtlpReceiver
from spancheck import check_spans

suite = HttpSuite("job")
url = suite.server.url

with open(os.path.join(os.path.dirname(HERE), "vectors",
                       "github-ids.jsonl")) as lines:
    IDS = {v["id"]: v for v in map(json.loads, lines)}
GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "9753949763",
          "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "build",
          "GITHUB_SERVER_URL": "https://github.com",
          "GITHUB_REPOSITORY": "my-org/my-repo"}


def case(name):
    """A case that needs the command: nothing to do on bare programs."""
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


def parse_env_file(text):
    """As GitHub's runner reads it."""
    found, rest = {}, text.splitlines()
    while rest:
        line = rest.pop(0)
        if not line:
            continue
        name, equals, value = line.partition("=")
        if "<<" in name or not equals:
            name, _, word = line.partition("<<")
            check(word, "env file: %r", line)
            value = []
            while rest[0] != word:
                value.append(rest.pop(0))
            rest.pop(0)
            value = "\n".join(value)
        found[name] = value
    return found


class Runner:
    """Runs steps as GitHub's runner does: each in a bash of its own, the
    environment carried on by the runner."""

    def __init__(self, env=None):
        self.env = {**clean_environment(suite.runner.home), **GITHUB,
                    **(env or {})}
        self.summary = suite.runner.path("step-summary.md")
        self.hub = None

    def step(self, script, env=None, status=0):
        env_file = suite.runner.write("github-env", "")
        path = suite.runner.write("step.sh", script)
        result = subprocess.run(
            ["bash", "-e", path], env={
                **self.env, "GITHUB_ENV": env_file,
                "GITHUB_STEP_SUMMARY": self.summary, **(env or {})},
            stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
            check=False)
        check(result.returncode == status, "%s: status %s, %r %r", script,
              result.returncode, result.stdout, result.stderr)
        with open(env_file) as file:
            self.env.update(parse_env_file(file.read()))
        self.hub = self.env.get("AUTOTRACE_HUB") or self.hub
        return result

    def begin(self, options="", env=None):
        return self.step("%s job begin %s" % (COMMAND, options), env)

    def end(self, options="", status=0):
        return self.step("%s job end %s" % (COMMAND, options), status=status)

    def host(self):
        return int(self.hub.split(":")[0])

    def wait_gone(self, timeout_s=10):
        """The background process ends; nothing of it stays."""
        deadline = time.monotonic() + timeout_s
        while is_alive(self.host()):
            check(time.monotonic() < deadline, "the host is still there")
            time.sleep(0.02)


def is_alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


STEPS = ("curl -sS %s; echo one" % url("/ok"),
         "wget -q -O- %s || echo no" % url("/status/503"),
         "curl -sS %s | cat; test -f /nonexistent" % url("/ok?b"))


def run_steps(runner):
    outputs = []
    for script, status in zip(STEPS, (0, 0, 1)):
        result = runner.step(script, status=status)
        outputs.append((result.stdout, result.stderr))
    return outputs


def task_of(spans):
    found = [s for s in spans
             if "cicd.pipeline.task.name" in s["attributes"]]
    check(len(found) == 1, "%d spans of the job: %s", len(found), found)
    return found[0]


@case("steps-of-a-job")
def steps():
    """One trace with the ids that all jobs of the run agree on; outputs and
    statuses of the steps as they are without."""
    suite.server.clear()
    with OtlpReceiver() as receiver:
        runner = Runner(receiver.environment())
        begun = runner.begin()
        check(not begun.stdout and not begun.stderr, "%r", begun)
        traced = run_steps(runner)
        ended = runner.end("--result failure")
        check(not ended.stdout, "%r", ended.stdout)
        spans = receiver.spans()
        check(not receiver.errors, "%s", receiver.errors)
    runner.wait_gone()
    suite.server.drain()
    check_spans(suite.server.records(), spans)
    check(run_steps(Runner()) == traced, "the steps say something else")
    check({s["traceId"] for s in spans} == {IDS["GH-01"]["trace_id"]}, "%s",
          {s["traceId"] for s in spans})
    task = task_of(spans)
    check(task["parentSpanId"] == IDS["GH-01"]["root_span_id"]
          and task["kind"] == 1 and task["name"] == "build", "%s", task)
    check(task["attributes"]["cicd.pipeline.task.run.result"] == "failure"
          and task["attributes"]["error.type"] == "failure"
          and task["status"] == 2, "%s", task)
    by_id = {s["spanId"]: s for s in spans}
    for span in spans:
        check(span is task or span["parentSpanId"] in by_id, "orphan %s", span)
        check(task["start_ns"] <= span["start_ns"]
              and task["end_ns"] >= span["end_ns"],
              "outside of the job: %s", span)
        check(span["resource"]["service.name"] == "my-repo", "%s",
              span["resource"])
    text = ended.stderr.decode()
    check("GET" in text and "503" in text and "0 dropped" in text, "%s", text)
    with open(runner.summary) as file:
        page = file.read()
    os.remove(runner.summary)
    check(page.startswith("### autotrace: `build` failed, "), "%s", page)
    check(runner.env["AUTOTRACE_HUB"] == runner.env["LD_PRELOAD"] == "",
          "%s", runner.env)


@case("jobs-on-other-machines-join")
def join():
    """The same run id: the same trace. Another attempt: another one."""
    traces = []
    for env in ({"JOB_CHECK_RUN_ID": "26920038674"}, {"GITHUB_JOB": "test"},
                {"GITHUB_RUN_ATTEMPT": "2"}):
        path = suite.runner.path("join.jsonl")
        runner = Runner(env)
        runner.begin("--file " + path)
        runner.end("-q --summary=none")
        task = task_of(spans_of_file(path))
        traces.append((task["traceId"], task["parentSpanId"], task["spanId"]))
        os.remove(path)
        runner.wait_gone()
    check(traces[0][0] == traces[1][0] == IDS["GH-01"]["trace_id"], "%s",
          traces)
    check(traces[0][1] == IDS["GH-02"]["job_span_id"], "%s", traces)
    check(traces[0][2] != traces[1][2], "%s", traces)
    check(traces[2][0] == IDS["GH-04"]["trace_id"], "%s", traces)


@case("a-pipeline-that-traces-itself")
def outside():
    """Jenkins and Buildkite hand TRACEPARENT down: the job is part of that."""
    path = suite.runner.path("outside.jsonl")
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    runner = Runner({"TRACEPARENT": "00-%s-00f067aa0ba902b7-01" % trace,
                     "TRACESTATE": "a=b"})
    runner.begin("--file " + path)
    check(runner.env["TRACESTATE"] == "a=b", "%s", runner.env)
    runner.step(STEPS[0])
    runner.end("-q --summary=none")
    spans = spans_of_file(path)
    check({s["traceId"] for s in spans} == {trace}, "%s", spans)
    check(task_of(spans)["parentSpanId"] == "00f067aa0ba902b7", "%s", spans)
    runner.wait_gone()


SHELL = """set -e
eval "$(%(command)s job begin --shell --file %(file)s --name 'my job')"
[ "$AUTOTRACE_PROPAGATE_TO" = "$WANTED" ]
curl -sS %(url)s
%(command)s job end -q --result=0
eval "$(%(command)s job end --shell 2>/dev/null)"
echo "left: ${LD_PRELOAD-none} ${AUTOTRACE_HUB-none}"
"""


@case("eval-in-a-shell")
def shells():
    """In any shell, whatever is in the settings."""
    odd = "it's $(touch /tmp/evil) \"x\" `y` *.test"
    for shell in ("sh", "bash", "dash"):
        path = suite.runner.path("shell.jsonl")
        script = SHELL % {"command": COMMAND, "file": path, "url": url("/ok")}
        result = suite.runner.run([shell, "-c", script], env={
            "AUTOTRACE_PROPAGATE_TO": odd, "WANTED": odd}).expect_status(0)
        check(result.out.endswith(b"left: none none\n"), "%r", result.out)
        check(not result.err, "%r", result.err)
        spans = spans_of_file(path)
        os.remove(path)
        check(sorted(s["name"] for s in spans) == ["GET", "curl", "my job"], "%s",
              spans)
        names = {s["resource"]["service.name"] for s in spans}
        check(names == {"unknown_service:my job"}, "%s", names)


@case("results")
def results():
    """From the argument, or from what the CI system says."""
    for options, env, result, error in (
            ("--result success", {}, "success", None),
            ("--result=cancelled", {}, "cancellation", None),
            ("--result=2", {}, "failure", "failure"),
            ("", {"AUTOTRACE_JOB_RESULT": "failed"}, "failure", "failure"),
            ("", {"GITHUB_ACTIONS": "", "GITLAB_CI": "true",
                  "CI_JOB_NAME": "x", "CI_JOB_STATUS": "canceled"},
             "cancellation", None),
            ("", {}, None, None)):
        path = suite.runner.path("result.jsonl")
        runner = Runner(env)
        runner.begin("--file " + path)
        runner.end("-q --summary=none " + options)
        seen = task_of(spans_of_file(path))["attributes"]
        check((seen.get("cicd.pipeline.task.run.result"),
               seen.get("error.type")) == (result, error), "%s %s: %s",
              options, env, seen)
        os.remove(path)
        runner.wait_gone()


@case("keep-and-fail-on")
def rules():
    path = suite.runner.path("rules.jsonl")
    runner = Runner()
    runner.begin("--keep=errors --file " + path)
    runner.step(STEPS[1])
    ended = runner.end("--result success --fail-on http-5xx", status=3)
    check(not os.path.exists(path), "kept")
    check(b", not kept" in ended.stderr and b"--fail-on" in ended.stderr,
          "%r", ended.stderr)
    runner.wait_gone()


@case("begin-twice-end-twice")
def twice():
    runner = Runner()
    runner.begin()
    first = dict(runner.env)
    again = runner.begin()
    check(b"already" in again.stderr and again.stderr.count(b"\n") == 1,
          "%r", again.stderr)
    check(runner.env == first, "a second hub")
    runner.end("-q --summary=none")
    runner.wait_gone()
    last = runner.end()
    check(b"no job was begun" in last.stderr, "%r", last.stderr)


@case("end-without-begin")
def nothing():
    ended = Runner().end()
    check(ended.stderr.count(b"\n") == 1 and not ended.stdout, "%r", ended)


@case("killed-hub")
def killed():
    """The steps go on, and end says what is lost."""
    runner = Runner()
    runner.begin()
    runner.step(STEPS[0])
    os.kill(runner.host(), signal.SIGKILL)
    runner.wait_gone()
    result = runner.step(STEPS[0])
    check(result.stdout.endswith(b"one\n") and not result.stderr, "%r", result)
    ended = runner.end()
    check(b"gone" in ended.stderr and ended.stderr.count(b"\n") == 1, "%r",
          ended.stderr)


@case("an-env-file-that-cannot-be-written")
def unwritable():
    """No trace, no host, no failure."""
    before = hosts()
    result = Runner().begin(env={"GITHUB_ENV": "/nonexistent/env"})
    check(b"/nonexistent/env" in result.stderr, "%r", result.stderr)
    deadline = time.monotonic() + 10
    while hosts() - before:
        check(time.monotonic() < deadline, "left: %s", hosts() - before)
        time.sleep(0.02)


def hosts():
    """Background processes of this build."""
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/cmdline" % name, "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if words[:2] == [COMMAND.encode(), b"job"]:
                found.add(int(name))
    return found


@case("off")
def off():
    runner = Runner({"OTEL_SDK_DISABLED": "true"})
    check(b"OTEL_SDK_DISABLED" in runner.begin().stderr, "not said")
    check(not runner.env.get("LD_PRELOAD"), "%s", runner.env)


@case("the-runner-goes")
def orphan():
    """Whoever ran the job has died: what there is is exported, unfinished."""
    with OtlpReceiver() as receiver:
        script = "%s job begin --shell; sleep 0.2" % COMMAND
        runner = subprocess.run(
            [sys.executable, "-c", "import subprocess, sys; "
             "subprocess.run(['bash', '-c', sys.argv[1]])", script],
            env={**clean_environment(suite.runner.home),
                 **receiver.environment()}, capture_output=True, timeout=20,
            check=True)
        spans = receiver.wait_spans(1, timeout_s=10)
        check(not receiver.errors, "%s", receiver.errors)
    check([s["attributes"].get("autotrace.unfinished") for s in spans] ==
          [True], "%s", spans)
    variables = dict(word.split("=", 1) for line in
                     runner.stdout.decode().splitlines()
                     for word in shlex.split(line)[1:])
    job = Runner()
    job.hub = variables["AUTOTRACE_HUB"]
    job.wait_gone()


@case("the-limit")
def limit():
    path = suite.runner.path("limit.jsonl")
    runner = Runner()
    runner.begin("--limit=300ms --file " + path)
    runner.wait_gone()
    check(task_of(spans_of_file(path))["attributes"]
          ["autotrace.unfinished"] is True, "not marked")
    check(b"gone" in runner.end().stderr, "not said")


@case("sigterm-ends-it")
def told():
    path = suite.runner.path("told.jsonl")
    runner = Runner()
    runner.begin("--file " + path)
    runner.step(STEPS[0])
    os.kill(runner.host(), signal.SIGTERM)
    runner.wait_gone()
    names = sorted(span["name"] for span in spans_of_file(path))
    check(names == ["GET", "bash step.sh", "build", "curl"], "%s", names)


@case("others-are-not-answered")
def others():
    """Another user can neither end the job nor read its summary."""
    if os.geteuid() != 0:
        return
    suite.runner.let_others_in()
    path = suite.runner.path("others.jsonl")
    runner = Runner()
    runner.begin("--file " + path)
    result = suite.runner.run([COMMAND, "job", "end"], user="nobody", env={
        "AUTOTRACE_HUB": runner.hub})
    check(result.status == 0 and not result.out and b"job end" in result.err,
          "%s %r %r", result.status, result.out, result.err)
    check(is_alive(runner.host()), "ended by another user")
    runner.end("-q --summary=none")
    task_of(spans_of_file(path))
    runner.wait_gone()


@case("what-it-holds-on-to")
def descriptors():
    """Neither a step's pipes nor its terminal: nobody waits for us."""
    read, write = os.pipe()
    runner = Runner()
    os.set_inheritable(write, True)
    env = {**runner.env, "GITHUB_ENV": suite.runner.write("env", "")}
    subprocess.run([COMMAND, "job", "begin"], env=env, pass_fds=[write],
                   check=True)
    with open(env["GITHUB_ENV"]) as file:
        runner.env.update(parse_env_file(file.read()))
    runner.hub = runner.env["AUTOTRACE_HUB"]
    os.close(write)
    check(os.read(read, 1) == b"", "a descriptor is still open")
    os.close(read)
    stat = open("/proc/%d/stat" % runner.host()).read().rpartition(")")[2]
    check(int(stat.split()[3]) == runner.host(), "no session of its own")
    runner.end("-q --summary=none")
    runner.wait_gone()


@case("a-run-in-a-step")
def nested():
    """`run` inside of a job is a part of it."""
    path = suite.runner.path("nested.jsonl")
    runner = Runner()
    runner.begin("--file " + path)
    runner.step("%s run -q -- curl -sS %s" % (COMMAND, url("/ok")))
    runner.end("-q --summary=none")
    spans = spans_of_file(path)
    check(len({s["traceId"] for s in spans}) == 1, "%s", spans)
    by_id = {s["spanId"]: s for s in spans}
    span, = [s for s in spans if s["name"] == "GET"]
    chain = []
    while span:
        chain.append(span["name"])
        span = by_id.get(span["parentSpanId"])
    check(chain == ["GET", "curl", "bash step.sh", "build"], "%s", chain)
    runner.wait_gone()


# ---- docs/ci.md ----

with open(os.path.join(ROOT, "docs", "ci.md")) as text:
    BLOCKS = re.findall(r"```(\w+)\n(.*?)```", text.read(), re.S)


def documented_env():
    """`autotrace` and a `make` that makes a request, in PATH."""
    folder = suite.runner.path("bin")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "make")
    with open(path, "w") as file:
        file.write("#!/bin/sh\nexec curl -sS '%s'\n" % url("/ok"))
    os.chmod(path, 0o755)
    return {"PATH": "%s:%s:%s" % (folder, os.path.dirname(COMMAND),
                                  clean_environment("/")["PATH"])}


@case("documented-for-github")
def documented_github():
    steps_of = [body for kind, body in BLOCKS
                if kind == "yaml" and "steps:" in body]
    check(len(steps_of) == 1, "%s", steps_of)
    scripts = re.findall(r"run: (.*)", steps_of[0])
    check(len(scripts) == 4, "%s", scripts)
    with OtlpReceiver() as receiver:
        runner = Runner({**receiver.environment(), **documented_env()})
        for script in scripts:
            runner.step(script.replace("${{ job.status }}", "cancelled"))
        spans = receiver.spans()
        check(not receiver.errors, "%s", receiver.errors)
    runner.wait_gone()
    check(task_of(spans)["attributes"]["cicd.pipeline.task.run.result"]
          == "cancellation", "%s", spans)
    check(len([s for s in spans if s["kind"] == 3]) == 2, "%s", spans)


@case("documented-for-a-shell")
def documented_shell():
    blocks = [body for kind, body in BLOCKS if kind == "sh"]
    check(len(blocks) == 2, "%s", blocks)
    for body in blocks:
        for shell in ("sh", "bash"):
            for last, result in (("", "success"), ("exit 5", "failure")):
                path = suite.runner.path("documented.jsonl")
                done = suite.runner.run([shell, "-ec", body + last], env={
                    **documented_env(), "AUTOTRACE_FILE": path,
                    "STAGE_NAME": "test it"})
                done.expect_status(5 if last else 0)
                seen = [s for s in spans_of_file(path) if s["kind"] == 1
                        and "cicd.pipeline.task.run.result"
                        in s["attributes"]]
                check(len(seen) == 1 and seen[0]["attributes"]
                      ["cicd.pipeline.task.run.result"] == result, "%s: %s",
                      body, seen)
                os.remove(path)


@case("wrong-use")
def wrong():
    for words in ([], ["start_ns"], ["begin", "x"], ["begin", "--limit=5"],
                  ["begin", "--result=success"], ["end", "--result=maybe"],
                  ["end", "--file=x"], ["end", "--nonsense"]):
        result = suite.runner.run([COMMAND, "job", *words])
        check(result.status == 2 and result.err.count(b"\n") == 1
              and not result.out, "%s: %s %r %r", words, result.status,
              result.out, result.err)


sys.exit(suite.main())
