# SPDX-License-Identifier: Apache-2.0
"""A child on a terminal of its own: what it prints, and that it has one."""
import os
import pty
import sys

pid, master = pty.fork()
if pid == 0:
    os.execlp("sh", "sh", "-c", "test -t 0 && test -t 1 && echo a terminal; "
              "printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'; read x; "
              "echo got $x; exit 5")
os.write(master, b"hello\n")
text = b""
try:
    while piece := os.read(master, 1000):
        text += piece
except OSError:
    pass
_, status = os.waitpid(pid, 0)
print(sorted(text.split()), os.waitstatus_to_exitcode(status))
sys.exit(0)
