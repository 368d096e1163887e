# SPDX-License-Identifier: Apache-2.0
"""Running programs bare and traced, and saying what differs.

Runner starts one program at a time in a fresh directory with a clean
environment, and gives back a Result. Suite is the frame of a test file: named
cases, readable failures, one exit status.

AUTOTRACE_BUILD  directory of libautotrace.so and autotrace (default: build)
AUTOTRACE_BARE   1: "traced" runs are bare as well and no span is expected;
                 proves the test programs themselves without the library
AUTOTRACE_LONG   1: the long tables
"""
import difflib
import os
import pwd
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import otlp_decode

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = os.path.join(os.path.dirname(HERE), "e2e", "programs")
BUILD = os.path.abspath(os.environ.get("AUTOTRACE_BUILD")
                        or os.path.join(ROOT, "build"))
LIBRARY = os.path.join(BUILD, "libautotrace.so")
COMMAND = os.path.join(BUILD, "autotrace")
BARE_ONLY = os.environ.get("AUTOTRACE_BARE") == "1"
LONG = os.environ.get("AUTOTRACE_LONG") == "1"
TIMEOUT_S = 60
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Failure(Exception):
    """A check that did not hold; its text is for people."""


def check(condition, text, *values):
    if not condition:
        raise Failure(text % values if values else text)


def differ(what, expected, seen):
    """Raise with a line-by-line difference unless both are equal."""
    if expected == seen:
        return
    lines = list(difflib.unified_diff(
        printable(expected), printable(seen), "bare", "traced",
        lineterm="", n=1))
    if len(lines) > 24:
        lines = lines[:24] + ["... %d more lines" % (len(lines) - 24)]
    lines = [line if len(line) < 600 else line[:600] + "..." for line in lines]
    raise Failure("%s differs:\n%s" % (what, "\n".join(lines)))


def printable(data):
    if isinstance(data, bytes):
        data = data.decode("latin-1")
    if isinstance(data, str):
        return [repr(line)[1:-1] for line in data.splitlines(keepends=True)]
    return [repr(item) for item in data]


def clean_environment(home):
    """The same for everyone, whatever the caller's shell has set."""
    environment = {
        "PATH": PATH, "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "dumb",
        "USER": os.environ.get("USER", "root"),
        "LOGNAME": os.environ.get("LOGNAME", "root"),
        # A warning of older versions has the process id in it.
        "NODE_NO_WARNINGS": "1"}
    # By this the runner of the tests finds what one of them left behind.
    if "AT_E2E_MARK" in os.environ:
        environment["AT_E2E_MARK"] = os.environ["AT_E2E_MARK"]
    return environment


class Result:
    """What a run left behind."""

    def __init__(self):
        self.status = None      # exit code, or -N for signal N
        self.out = b""
        self.err = b""
        self.files = {}         # path in the run's directory -> content
        self.span_file = None
        self.start_ns = self.end_ns = 0
        self.seconds = 0.0
        self.peak_bytes = None  # with peak=True
        self.traced = False

    def spans(self):
        """All spans of the file exporter, strictly decoded."""
        if not self.span_file or not os.path.exists(self.span_file):
            return []
        try:
            return otlp_decode.spans_of_file(self.span_file)
        except otlp_decode.Invalid as error:
            raise Failure("span file: %s" % error) from None

    def expect_status(self, status=0):
        check(self.status == status, "exit status %s, expected %s\n"
              "stdout: %r\nstderr: %r", self.status, status,
              self.out[-2000:], self.err[-2000:])
        return self


class Runner:
    """A directory for runs, removed with everything in it at the end."""

    def __init__(self, name):
        self.home = tempfile.mkdtemp(prefix="at-%s-" % name)
        os.chmod(self.home, 0o755)
        self._count = 0
        self.kept = []

    def close(self):
        for process in self.kept:
            stop(process)
        shutil.rmtree(self.home, ignore_errors=True)

    def let_others_in(self):
        """Let other users reach the directory; what is above it and ours
        (a caller's private temporary directory) becomes passable too."""
        path = self.home
        while os.stat(path).st_uid == os.geteuid() and path != "/tmp":
            mode = os.stat(path).st_mode & 0o7777
            if mode & 0o11 != 0o11:
                os.chmod(path, mode | 0o11)
            path = os.path.dirname(path)
            if path == "/":
                break

    def path(self, name):
        return os.path.join(self.home, name)

    def write(self, name, content):
        """A file for the programs; returns its path."""
        path = self.path(name)
        mode = "wb" if isinstance(content, bytes) else "w"
        with open(path, mode) as file:
            file.write(content)
        return path

    def fresh(self):
        """An empty directory, at the same path for every run."""
        path = self.path("run")
        shutil.rmtree(path, ignore_errors=True)
        os.mkdir(path)
        return path

    def run(self, argv, env=None, traced=False, stdin=None, timeout_s=None,
            cwd=None, span_file=True, preload=True, collect=True, user=None,
            peak=False, linger_s=2):
        """Run argv to its end. env is added to the clean environment.

        traced: with the library preloaded (or nothing, under AUTOTRACE_BARE)
        and, if span_file, the file exporter. preload=False leaves the preload
        to argv itself (autotrace run). peak: measure its memory. linger_s:
        how much longer than the program those it started may live.
        """
        result = Result()
        directory = cwd or self.fresh()
        environment = clean_environment(self.home)
        if traced and not BARE_ONLY:
            result.traced = True
            if span_file:
                self._count += 1
                result.span_file = self.path("spans%d.jsonl" % self._count)
                environment["AUTOTRACE_FILE"] = result.span_file
            if preload:
                environment["LD_PRELOAD"] = LIBRARY
        environment.update(env or {})
        for name in [n for n, v in environment.items() if v is None]:
            del environment[name]
        if peak:
            report = self.path("peak")
            argv = [sys.executable, "-S", "-E", os.path.join(HERE, "peak.py"),
                    report, environment.pop("LD_PRELOAD", ""), *argv]
        self._execute(result, argv, environment, directory, stdin,
                      timeout_s or TIMEOUT_S, user, linger_s)
        if peak:
            with open(report) as file:
                result.peak_bytes = int(file.read())
        if collect:
            result.files = read_files(directory)
        if not cwd:
            shutil.rmtree(directory, ignore_errors=True)
        return result

    def _execute(self, result, argv, environment, directory, stdin, timeout_s,
                 user, linger_s):
        # As a shell does it: output files are for writing only.
        out = open(self.path("stdout"), "wb")
        err = open(self.path("stderr"), "wb")
        source = tempfile.TemporaryFile()
        source.write(stdin or b"")
        source.seek(0)
        with out, err, source:
            result.start_ns = time.time_ns()
            begun = time.monotonic()
            process = subprocess.Popen(
                argv, env=environment, cwd=directory, stdin=source, stdout=out,
                stderr=err, start_new_session=True, **as_user(user))
            killed = wait(process, result, timeout_s)
            result.seconds = time.monotonic() - begun
            result.end_ns = time.time_ns()
            left = reap_session(process.pid, linger_s)
        result.out = read_file(out.name)
        result.err = read_file(err.name)
        check(not killed, "%s: not finished after %d s\nstdout: %r\n"
              "stderr: %r", argv, timeout_s, result.out[-2000:],
              result.err[-2000:])
        check(not left, "%s left processes behind: %s", argv, left)

    def autotrace_run(self, argv, options=(), env=None, **more):
        """autotrace run --file F options -- argv; result.spans() reads F."""
        self._count += 1
        path = self.path("spans%d.jsonl" % self._count)
        result = self.run([COMMAND, "run", "--file", path, *options, "--",
                           *argv], env=env, traced=True, span_file=False,
                          preload=False, **more)
        result.span_file = path
        return result

    def start(self, argv, env=None, **more):
        """A background program, ended by close(); output to DEVNULL."""
        environment = clean_environment(self.home)
        environment.update(env or {})
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                   "stderr": subprocess.DEVNULL, "cwd": self.home,
                   "start_new_session": True}
        options.update(more)
        process = subprocess.Popen(argv, env=environment, **options)
        self.kept.append(process)
        return process


def as_user(user):
    """Arguments of Popen for another user, with that user's own group."""
    if not user:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid,
            "extra_groups": []}


def wait(process, result, timeout_s):
    """Wait for its end; True when it had to be killed."""
    poller = select.poll()
    descriptor = os.pidfd_open(process.pid)
    poller.register(descriptor, select.POLLIN)
    try:
        ended = poller.poll(timeout_s * 1000)
    except BaseException:
        # We are told to end: nobody else would end it.
        os.killpg(process.pid, signal.SIGKILL)
        reap_session(process.pid, 0)
        raise
    finally:
        os.close(descriptor)
    if not ended:
        os.killpg(process.pid, signal.SIGKILL)
    result.status = process.wait()
    return not ended


def session_members(session):
    """Processes of a session that are more than zombies, with their names."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name) as file:
                text = file.read()
        except OSError:
            continue
        state, _, _, sid = text.rpartition(")")[2].split()[:4]
        if int(sid) == session and state != "Z":
            found.append((int(name), text.split(" (", 1)[1].split(")")[0]))
    return found


def reap_session(session, linger_s=2):
    """Wait a little for stragglers, then end them and say who they were."""
    deadline = time.monotonic() + linger_s
    while True:
        left = session_members(session)
        if not left:
            return []
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    for pid, _ in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return left


def stop(process, timeout_s=10):
    """End a background program and everything in its session."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pid, _ in session_members(process.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def read_files(directory):
    found = {}
    for base, folders, names in os.walk(directory):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(base, name)
            if os.path.isfile(path) and not os.path.islink(path):
                found[os.path.relpath(path, directory)] = read_file(path)
    return found


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


def compare_results(bare, traced, normalise=None):
    """Exit status, stdout, stderr and files of the program must be equal."""
    normalise = normalise or (lambda data: data)
    check(bare.status == traced.status,
          "exit status: bare %s, traced %s\nbare stderr: %r\n"
          "traced stderr: %r", bare.status, traced.status, bare.err[-1500:],
          traced.err[-1500:])
    differ("stdout", normalise(bare.out), normalise(traced.out))
    differ("stderr", normalise(bare.err), normalise(traced.err))
    differ("set of files", sorted(bare.files), sorted(traced.files))
    for name, content in bare.files.items():
        differ("file %s" % name, normalise(content),
               normalise(traced.files[name]))


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


class Suite:
    """Named cases; `FILE [-v] [-l] [PATTERN...]` runs those that match."""

    def __init__(self, name):
        self.name = name
        self.runner = Runner(name)
        self._cases = []
        self.notes = []
        self._cleanups = []

    def case(self, name):
        """Decorator: a case without arguments."""
        def put(function):
            self._cases.append((name, function))
            return function
        return put

    def add(self, name, function, *args, **named):
        self._cases.append((name, lambda: function(*args, **named)))

    def cleanup(self, function):
        self._cleanups.append(function)

    def note(self, text, *values):
        """A figure or remark for the summary."""
        self.notes.append(text % values if values else text)

    def chosen(self):
        """The cases that the command line asks for."""
        patterns = [a for a in sys.argv[1:] if not a.startswith("-")]
        return [c for c in self._cases if not patterns
                or any(p in c[0] for p in patterns)]

    def main(self):
        arguments = sys.argv[1:]
        verbose = "-v" in arguments
        chosen = self.chosen()
        if "-l" in arguments:
            print("\n".join(name for name, _ in chosen))
            return 0
        # A test that is told to end still cleans up.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            needs_build()
            failed = [name for name, function in chosen
                      if not self._run_case(name, function, verbose)]
        finally:
            for function in reversed(self._cleanups):
                function()
            self.runner.close()
        for text in self.notes:
            print("%s: %s" % (self.name, text))
        print("%s: %d cases, %d failed%s" % (
            self.name, len(chosen), len(failed),
            ": " + ", ".join(failed) if failed else ""))
        return 1 if failed or not chosen else 0

    def _run_case(self, name, function, verbose):
        begun = time.monotonic()
        try:
            function()
        except Failure as failure:
            print("FAIL %s: %s\n%s\n" % (self.name, name, failure))
            return False
        except Exception:
            print("FAIL %s: %s (the test itself broke)\n%s" % (
                self.name, name, traceback.format_exc()))
            return False
        finally:
            sys.stdout.flush()
        if verbose:
            print("ok   %s: %s (%.2f s)" % (self.name, name,
                                            time.monotonic() - begun))
            sys.stdout.flush()
        return True


def needs_build():
    if not BARE_ONLY and not os.path.exists(LIBRARY):
        sys.exit("%s is missing: build first, or set AUTOTRACE_BUILD" %
                 LIBRARY)


def raise_fd_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
