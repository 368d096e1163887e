# SPDX-License-Identifier: Apache-2.0
"""Measuring what tracing adds to a program's time, on a noisy machine.

Pairs are interleaved and medians of differences compared, so that whatever
else the machine does hits both sides; a bound that is missed is measured
again, up to three times, because noise only ever adds.
"""
import os
import subprocess
import sys
import time

from harness import (BARE_ONLY, HERE, LIBRARY, check, clean_environment,
                     median)


def preload(**more):
    """The variables of a traced run."""
    return dict(more) if BARE_ONLY else dict(more, LD_PRELOAD=LIBRARY)


def timed(argv, environment, cwd):
    """Seconds from start to end; the exit status must be 0."""
    null = os.open(os.devnull, os.O_RDWR)
    try:
        begun = time.monotonic()
        pid = os.posix_spawnp(argv[0], argv, environment, file_actions=[
            (os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1),
            (os.POSIX_SPAWN_DUP2, null, 2)])
        _, status = os.waitpid(pid, 0)
        seconds = time.monotonic() - begun
    finally:
        os.close(null)
    check(status == 0, "%s: status %#x", argv, status)
    return seconds


def added_ms(runner, argv, with_env, without_env=None, rounds=15,
             before=lambda: None):
    """Median of what the environment with_env adds, in milliseconds.

    before() is called before each round.
    """
    base = clean_environment(runner.home)
    differences = []
    for _ in range(rounds):
        before()
        bare = timed(argv, dict(base, **(without_env or {})), runner.home)
        traced = timed(argv, dict(base, **with_env), runner.home)
        differences.append((traced - bare) * 1000)
    return median(differences)


def within(bound_ms, measure, attempts=3):
    """The first figure within the bound, or the lowest of all attempts."""
    figures = []
    for _ in range(attempts):
        figures.append(measure())
        if figures[-1] <= bound_ms:
            break
    return min(figures)


class Service:
    """A support server in a process of its own, so that its work does not
    share an interpreter with whoever measures."""

    def __init__(self, script, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, script), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        self.endpoint = "http://127.0.0.1:%d" % self.port

    def close(self):
        """End it; what it printed after its port."""
        self.process.stdin.close()
        text = self.process.stdout.read()
        self.process.stdout.close()
        self.process.wait(20)
        return text.decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.returncode is None:
            self.close()
