#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""CPython's own tests of multiprocessing: of spawn what has to do with
processes, pipes and sockets; all of it, and the others, in the long table."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from upstream import Modules

SPAWN = "test.test_multiprocessing_spawn."
suite = Modules("cpython-multiprocessing", "cpython.list")
suite.module(SPAWN[:-1], classes=[SPAWN + name for name in (
    "OtherTest", "TestCloseFds", "TestIgnoreEINTR", "TestInvalidFamily",
    "TestInvalidHandle", "TestResourceTracker", "TestTimeouts",
    "TestWait.test_wait_socket", "WithManagerTestRemoteManager",
    "WithProcessesTestConnection", "WithProcessesTestListener",
    "WithProcessesTestListenerClient", "WithProcessesTestPicklingConnections",
    "WithProcessesTestPoll", "WithProcessesTestPollEintr",
    "WithProcessesTestProcess",
    "WithThreadsTestConnection", "WithThreadsTestListenerClient",
    "WithThreadsTestPoll", "WithThreadsTestPool", "WithThreadsTestProcess")])
suite.module("test.test_multiprocessing_fork", long=True)
suite.module("test.test_multiprocessing_forkserver", long=True)
suite.module("test.test_multiprocessing_main_handling", long=True)
suite.module("test.test_concurrent_futures", long=True)

if __name__ == "__main__":
    sys.exit(suite.main())
