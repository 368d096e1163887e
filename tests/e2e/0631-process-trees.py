#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# alone
"""Real trees of processes, held against what strace sees of them."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import exec_log
import harness
from harness import BARE_ONLY, COMMAND, check

suite = harness.Suite("process-trees")
runner = suite.runner
TIMEOUT_S = 120


def case(name):
    def put(function):
        suite.add(name, lambda: BARE_ONLY or function())
        return function
    return put


def traced(argv, status=0, **more):
    """Run it below strace and autotrace; what both have seen must agree."""
    log, file = runner.path("strace.log"), runner.path("trace.jsonl")
    for path in (log, file):
        if os.path.exists(path):
            os.unlink(path)
    result = runner.run(
        ["strace", "-f", "-ttt", "--seccomp-bpf", "--quiet=attach,personality",
         "-e", "trace=" + exec_log.TRACE, "-o", log, COMMAND,
         "run", "--quiet", "--file", file, "--", *argv],
        timeout_s=TIMEOUT_S, **more)
    result.expect_status(status)
    result.span_file = file
    spans = result.spans()
    images = exec_log.check_tree(exec_log.ExecLog(log), spans)
    suite.note("%d images, %d spans", len(images), len(spans))
    return result, images


def names(images):
    return sorted(span["name"] for span in images.values())


SHELL = {
    "pipelines": "seq 100 | sort -r | head -n 3 | wc -l",
    "subshells": "(cat /dev/null; (true; sh -c 'exit 3'); ls) | cat; x=$(id)",
    "background": "sleep 0.02 & sleep 0.03 & wait; wait; true",
    "exec-chains": "env A=1 nice sh -c 'exec env sh -c \"exec true\"'",
    "traps": "trap 'date >/dev/null' EXIT; trap : TERM; kill -TERM $$; id",
    "xargs": "seq 40 | xargs -n 1 -P 8 sh -c 'exit 0' _",
    "find": "find /etc/passwd -exec cat {} + -exec echo {} \\;",
    "and-or": "test -f /nowhere || /bin/false || grep -q x /dev/null || true",
    "loops": "for i in 1 2 3 4 5; do echo $i | grep -q 3 && ls; done; true",
    "not-found": "no-such-program-here; env no-such-either; true",
    "fork-only": "(: ; (exit 2)); { true & } ; wait",
}


def add_shell(name, script):
    for shell in ("sh", "bash"):
        @case("%s-%s" % (shell, name))
        def _():
            traced([shell, "-c", script])


for one in SHELL.items():
    add_shell(*one)


@case("set-e-fails")
def set_e():
    traced(["sh", "-ec", "true; false; echo never"], status=1)


@case("scripts-without-an-interpreter")
def enoexec():
    """execvp hands them to /bin/sh."""
    path = runner.write("plain", "ls /dev/null\n")
    os.chmod(path, 0o755)
    _, images = traced(["env", path])
    check("ls" in names(images), "%s", names(images))


@case("make-j")
def make():
    path = runner.write("Makefile", "all: $(addprefix t,$(shell seq 12))\n"
                        "t%:\n\t@sleep 0.0$*; echo $@ | cat >/dev/null\n"
                        "\t@test $@ != t7 || true\n")
    traced(["make", "-s", "-j4", "-f", path])


@case("ninja")
def ninja():
    text = "rule r\n  command = sh -c 'echo $out | tee $out'\n"
    text += "".join("build n%d: r\n" % i for i in range(8))
    directory = os.path.dirname(runner.write("build.ninja", text))
    traced(["ninja", "-C", directory, "-j", "3"])


PYTHON = """
import os, subprocess, sys, threading
subprocess.run(["true"], check=True)                       # vfork
subprocess.run(["true"], preexec_fn=lambda: None)          # fork
subprocess.run("ls | cat", shell=True, stdout=subprocess.DEVNULL)
subprocess.run(["true"], env={"PATH": "/bin"}, close_fds=False)
os.system("true; true")
os.popen("echo x").read()
pid = os.posix_spawn("/bin/true", ["true"], os.environ)
os.waitpid(pid, 0)
pid = os.posix_spawnp("false", ["false"], os.environ)
os.waitpid(pid, 0)
threads = [threading.Thread(target=subprocess.run, args=(["id", "-u"],),
                            kwargs={"stdout": subprocess.DEVNULL})
           for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
if os.fork() == 0:
    os.execv("/bin/sh", ["sh", "-c", "exit 5"])
os.wait()
try:
    subprocess.run(["/no/such/program"])
except FileNotFoundError:
    pass
"""


@case("python")
def python():
    _, images = traced(["/usr/bin/python3", "-S", "-c", PYTHON])
    blind = [s["attributes"].get("autotrace.blind_spot")
             for s in images.values()]
    # The one that was given an environment of its own.
    check(blind.count("preload_lost") == 1, "%s", blind)


@case("perl")
def perl():
    traced(["perl", "-e", "system('true'); system('true; false'); `ls | cat`;"
            "open(F, '-|', 'id'); close F; exec('sh', '-c', 'exit 0')"])


@case("node")
def node():
    traced(["node", "-e", "const c = require('child_process');"
            "c.execSync('true; true'); c.spawnSync('ls', ['/']);"
            "c.exec('echo hi | cat'); c.spawn('false');"])


@case("java")
def java():
    """Through jspawnhelper, which is given its environment by its parent."""
    path = runner.write("Spawn.java", """
public class Spawn {
    public static void main(String[] a) throws Exception {
        new ProcessBuilder("true").start().waitFor();
        new ProcessBuilder("sh", "-c", "id; exit 0").start().waitFor();
    }
}
""")
    _, images = traced(["java", "-XX:TieredStopAtLevel=1", path])
    check("true" in names(images), "%s", names(images))


@case("blind-spots")
def blind_spots():
    """Whom we cannot enter is seen from its parent's side."""
    static = "/sbin/ldconfig -p"
    _, images = traced(["sh", "-c", "%s; env -i /bin/true; %s | cat" % (
        static, static)])
    blind = sorted(s["attributes"].get("autotrace.blind_spot") or ""
                   for s in images.values())
    check(blind.count("static") == 2 and blind.count("preload_lost") == 1,
          "%s", blind)


@case("killed")
def killed():
    traced(["sh", "-c", "sh -c 'kill -9 $$'; sh -c 'kill -SEGV $$';"
            "sleep 60 & kill -TERM $!; wait; timeout 0.05 sleep 60; true"])


@case("killed-with-its-parent")
def orphan():
    """timeout kills itself as well: nobody is left to say how it ended."""
    result = runner.autotrace_run(["sh", "-c", "timeout -s KILL 0.05 sleep 60;"
                                   "exit 0"], ["--quiet"])
    result.expect_status(0)
    spans = {s["name"]: s["attributes"] for s in result.spans()}
    check(spans["timeout"]["error.type"] == "SIGKILL", "%s", spans)
    sleep = spans["sleep"]
    check(sleep.get("autotrace.incomplete") or
          sleep.get("autotrace.unfinished"), "%s", sleep)
    check("process.exit.code" not in sleep, "%s", sleep)


@case("head-killed")
def head_killed():
    traced(["sh", "-c", "true; kill -KILL $$"], status=137)


@case("many")
def many():
    """500 processes at once."""
    _, images = traced(["sh", "-c", "for i in $(seq 500); do sleep 1 & done;"
                        "wait"])
    check(names(images).count("sleep") == 500, "%d", len(images))


@case("parallel")
def parallel():
    """perl, which opens pipes to shells."""
    traced(["sh", "-c", "parallel -j 4 'echo {} | cat; exit {}' ::: 0 0 0 0 0 "
            "0 0 0 </dev/null"])


@case("containers-without-a-daemon")
def containers():
    """A user namespace and one of process ids: no way back to the hub's."""
    def order(item):
        return item[0], item[1] or ""

    result = runner.autotrace_run(
        ["sh", "-c", "unshare -Urm sh -c 'ls /dev/null; exit 3'"], ["-q"])
    result.expect_status(3)
    check(not result.err and result.out == b"/dev/null\n", "%r %r",
          result.out, result.err)
    seen = sorted([(s["name"], s["attributes"].get("autotrace.blind_spot"))
                   for s in result.spans()], key=order)
    check(seen == [("sh -c", None), ("sh -c", "namespace"),
                   ("unshare", None)], "%s", seen)
    result = runner.autotrace_run(
        ["sh", "-c", "unshare -Urpf sh -c 'ls /dev/null; exit 3'"], ["-q"])
    result.expect_status(3)
    check(not result.err and result.out == b"/dev/null\n", "%r %r",
          result.out, result.err)
    seen = {s["name"]: s["attributes"].get("autotrace.blind_spot")
            for s in result.spans()}
    check(seen == {"sh -c": None, "unshare": "namespace"}, "%s", seen)


@case("sudo-and-su")
def sudo():
    """They begin sessions and clean the environment; to root, as root."""
    if os.geteuid():
        suite.note("sudo and su ask for a password: not run")
        return
    _, images = traced(["sh", "-c", "sudo -n id -un; su root -c 'id -un'; "
                        "sudo -n sh -c 'ls /dev/null; exit 5'"], status=5)
    check(names(images).count("sudo") == 2 and "su" in names(images), "%s",
          names(images))
    # To somebody else: who is not in the hub runs as before.
    result = runner.autotrace_run(["su", "-s", "/bin/sh", "nobody", "-c",
                                   "id -un; exit 6"], ["-q"])
    result.expect_status(6)
    check(result.out == b"nobody\n" and not result.err, "%r %r", result.out,
          result.err)


@case("git-clone")
def git():
    directory = runner.path("repository")
    script = ("git init -q %s && cd %s && git config user.email a@b && "
              "git config user.name n && date >a && git add a && "
              "git commit -qm one && git gc -q && cd .. && "
              "git clone -q file://%s %s-2" % ((directory,) * 4))
    _, images = traced(["sh", "-c", script])
    check("git clone" in names(images), "%s", names(images))


sys.exit(suite.main())
