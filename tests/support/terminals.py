# SPDX-License-Identifier: Apache-2.0
"""A program on a terminal of its own, for tests that type."""
import fcntl
import os
import pty
import select
import struct
import termios
import time

import harness
from harness import check, clean_environment

TIMEOUT_S = 30


class Terminal:
    """A program on a terminal of its own, leader of its session."""

    def __init__(self, runner, argv, env=None, columns=100):
        environment = clean_environment(runner.home)
        environment.update({"TERM": "xterm", **(env or {})})
        self.directory = runner.fresh()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            try:
                self._set_size(0, columns)
                os.chdir(self.directory)
                os.execve(argv[0], argv, environment)
            finally:
                os._exit(99)
        self.output = b""
        self.status = None

    @staticmethod
    def _set_size(descriptor, columns):
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))

    def read_until(self, text):
        """All output up to and with `text`; None reads to the end."""
        deadline = time.monotonic() + TIMEOUT_S
        while text is None or text not in self.output:
            left = deadline - time.monotonic()
            check(left > 0 and select.select([self.master], [], [], left)[0],
                  "no %r in %r", text, self.output)
            try:
                piece = os.read(self.master, 65536)
            except OSError:     # the other side is closed
                piece = b""
            if not piece:
                check(text is None, "no %r in %r", text, self.output)
                return self
            self.output += piece
        return self

    def type(self, text):
        os.write(self.master, text)

    def finish(self):
        """Its exit status; everything printed is in output, as lines."""
        self.read_until(None)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.master)
        self.output = self.output.replace(b"\r\n", b"\n")
        left = harness.reap_session(self.pid)
        check(not left, "left behind: %s", left)
        return self
