#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""TLS that is not HTTP, or whose plaintext is out of reach: untouched, unseen."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import otlp_decode
from daemons import Daemon
from harness import check
from looks import BystanderSuite
from timing import preload

suite = BystanderSuite("tls")
home = suite.runner.home
spans = suite.runner.path("server.jsonl")
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                home + "/key.pem", "-out", home + "/cert.pem"], check=True,
               stderr=subprocess.DEVNULL)


def make(port, folder):
    with open(os.path.join(folder, "large"), "wb") as file:
        file.write(os.urandom(1_000_000))
    with open(os.path.join(folder, "small"), "wb") as file:
        file.write(b"a small file\n")
    return ["openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-cert",
            home + "/cert.pem", "-key", home + "/key.pem", "-WWW", "-quiet"]


server = Daemon(suite.runner, "s_server", make, preload(AUTOTRACE_FILE=spans))
suite.cleanup(server.close)
URL = "https://127.0.0.1:%d/" % server.port
# Not HTTP, or not to be seen; what can be is in 0151, and what libcurl says of
# a certificate it does not trust in 0161.
suite.same("wget-untrusted", ["wget", "-nv", "-O", "-", URL + "small"], status=5)
suite.same("node", ["node", "-e", "require('https').get(process.argv[1], "
                    "{ca: require('fs').readFileSync(process.argv[2])}, "
                    "r => r.on('data', d => process.stdout.write(d)))",
                    URL + "small", home + "/cert.pem"], looks=False)


@suite.case("server-has-no-span")
def server_silent():
    check(not os.path.exists(spans) or otlp_decode.spans_of_file(spans) == [],
          "the server made spans")


sys.exit(suite.main())
