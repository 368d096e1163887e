# SPDX-License-Identifier: Apache-2.0
"""peak.py FILE PRELOAD COMMAND...: run, and write the peak memory to FILE.

A process inherits the peak of whoever executed it; this one is small, so that
a test server in the harness does not count as the program's memory.
"""
import os
import resource
import sys

path, preload, *argv = sys.argv[1:]
environment = dict(os.environ)
if preload:
    environment["LD_PRELOAD"] = preload
pid = os.fork()
if pid == 0:
    os.execvpe(argv[0], argv, environment)
_, status = os.waitpid(pid, 0)
with open(path, "w") as file:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024,
          file=file)
code = os.waitstatus_to_exitcode(status)
os._exit(code if code >= 0 else 128 - code)
