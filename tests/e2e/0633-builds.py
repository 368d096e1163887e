#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 500
"""Debian packages: built and tested as without us, and every program is there."""
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import exec_log
import harness
from harness import BARE_ONLY, COMMAND, check

suite = harness.Suite("builds")
runner = suite.runner
TIMEOUT_S = 240
# What holds times, process ids or the environment by its very nature.
VOLATILE = ("config.log", "LastTest.log", "CTestCostData.txt", "tmp", "*.trs",
            "CMakeOutput.log", "CMakeError.log", "lastfailed", "nodeids",
            ".ninja_log", "*.pyc")
# Debian's source packages, and what is done in their directories.
PACKAGES = {
    "hello": "./configure -q && make -s -j2 && make -s check",
    "cjson": "cmake -S . -B b && cmake --build b -j2 && cd b && ctest",
    # Its test suite is a package of its own: nothing is unpacked.
    "python3.11": "/usr/bin/python3 -m test -j2 test_json test_shlex test_glob "
                  "test_textwrap test_popen test_getopt test_runpy",
}


def fetch(package):
    """Its unpacked sources; patched as Debian's."""
    directory = runner.path("sources-" + package)
    os.mkdir(directory)
    if package == "python3.11":
        return directory
    subprocess.run(["apt-get", "source", "-qq", "-o",
                    "APT::Sandbox::User=root", "-o", "Acquire::Retries=3",
                    package], cwd=directory, check=True, timeout=120,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    found, = glob.glob(os.path.join(directory, "*", ""))
    return found


def volatile(name):
    import fnmatch
    return any(fnmatch.fnmatch(name, pattern) for pattern in VOLATILE)


def content(directory):
    """Path -> hash of all that a build has left."""
    found = {}
    for folder, _, files in os.walk(directory):
        for name in files:
            path = os.path.join(folder, name)
            if not volatile(name) and not os.path.islink(path):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, directory)] = \
                        hashlib.sha256(file.read()).hexdigest()
    return found


class Build:
    """Builds of one package, always at the same place."""

    def __init__(self, package):
        self.script = PACKAGES[package]
        self.sources = fetch(package)
        self.place = runner.path("build-" + package)
        self.seconds = {}

    def run(self, how, prefix=()):
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.sources, self.place, symlinks=True)
        begun = time.monotonic()
        result = runner.run([*prefix, "sh", "-c", self.script],
                            cwd=self.place, collect=False,
                            timeout_s=TIMEOUT_S,
                            env={"SOURCE_DATE_EPOCH": "1"})
        self.seconds[how] = time.monotonic() - begun
        result.expect_status(0)
        return result, content(self.place)


def add_package(package):
    @suite.case(package)
    def _():
        if BARE_ONLY:
            return
        build = Build(package)
        bare, made = build.run("bare")
        again, same = build.run("bare again")
        # What differs from one bare build to the next says nothing.
        own = {path for path in set(made) | set(same)
               if made.get(path) != same.get(path)}
        trace = runner.path(package + ".jsonl")
        traced, other = build.run("traced", [COMMAND, "run", "-q", "--file",
                                             trace, "--"])
        differ = {path for path in set(made) | set(other)
                  if made.get(path) != other.get(path)} - own
        check(not differ, "built differently: %s", sorted(differ))
        check(len(own) <= len(made) / 20, "no two builds are alike: %s",
              sorted(own)[:20])
        check(traced.err == bare.err or bare.err != again.err,
              "stderr: %r, bare %r", traced.err, bare.err)
        os.unlink(trace)
        log = runner.path(package + ".strace")
        result, _ = build.run("strace", [
            "strace", "-f", "-ttt", "--seccomp-bpf",
            "--quiet=attach,personality", "-e", "trace=" + exec_log.TRACE,
            "-o", log, COMMAND, "run", "-q", "--file", trace, "--"])
        result.span_file = trace
        images = exec_log.check_tree(exec_log.ExecLog(log), result.spans())
        suite.note("%s: %d files alike, %d differ from bare to bare; %d "
                   "programs, all as strace saw them; traced/bare %.2f",
                   package, len(made) - len(own), len(own), len(images),
                   build.seconds["traced"] / min(build.seconds["bare"],
                                                 build.seconds["bare again"]))


for one in PACKAGES:
    add_package(one)

sys.exit(suite.main())
