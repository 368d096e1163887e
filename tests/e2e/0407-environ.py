#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A program that changes its environment all the time is not hurt by what the
exporter's libraries would like to read there."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from truth_server import TruthServer

BUILD = os.environ["AUTOTRACE_BUILD"]
PROCESSES = 60
REQUESTS = 40

with TruthServer() as server:
    # An unknown host, so that the resolver starts as well; each batch is one
    # span. With libraries that read the environment 3 of 60 crashed.
    environment = {
        "PATH": os.environ["PATH"],
        "LD_PRELOAD": os.path.join(BUILD, "libautotrace.so"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector.invalid:4318",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "5",
        "OTEL_BSP_SCHEDULE_DELAY": "0",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1",
        "AUTOTRACE_EXIT_TIMEOUT": "100",
    }
    for number in range(PROCESSES):
        result = subprocess.run(
            [os.path.join(BUILD, "programs", "environ_storm"),
             str(server.port), str(REQUESTS)],
            env=environment, timeout=60, check=False)
        if result.returncode:
            sys.exit("process %d: status %d" % (number, result.returncode))
print("%d processes, %d requests each" % (PROCESSES, REQUESTS))
