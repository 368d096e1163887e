#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""ssh and sshd, both traced: a sandboxed, privilege-separated pair."""
import os
import pwd
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import otlp_decode
from daemons import Daemon
from harness import check
from looks import BystanderSuite
from timing import preload

suite = BystanderSuite("ssh")
home = suite.runner.home
USER = pwd.getpwuid(os.geteuid()).pw_name
spans = suite.runner.path("server.jsonl")
SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {home}/host
AuthorizedKeysFile {home}/client.pub
PidFile {home}/sshd.pid
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
"""


def make_keys():
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                        os.path.join(home, name)], check=True)
    if os.geteuid() == 0 and not os.path.isdir("/run/sshd"):
        # sshd insists on this empty directory; packages make it at boot.
        os.mkdir("/run/sshd", 0o755)
        suite.cleanup(lambda: os.path.isdir("/run/sshd")
                      and os.rmdir("/run/sshd"))


def make(port, _):
    path = os.path.join(home, "sshd_config")
    with open(path, "w") as file:
        file.write(SSHD.format(port=port, home=home))
    return ["/usr/sbin/sshd", "-D", "-e", "-f", path]


make_keys()
server = Daemon(suite.runner, "sshd", make, preload(AUTOTRACE_FILE=spans))
suite.cleanup(server.close)
SSH = ["ssh", "-F", "none", "-p", str(server.port), "-i", home + "/client",
       "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes", "-o",
       "LogLevel=ERROR", "-o", "UserKnownHostsFile=" + home + "/known",
       "-o", "IdentitiesOnly=yes", USER + "@127.0.0.1"]
data = os.urandom(3_000_000)

suite.same("echo", SSH + ["echo hello; echo oops >&2; exit 7"], status=7,
           looks=False)
suite.same("upload", SSH + ["sha256sum"], stdin=data, looks=False)
suite.same("download", SSH + ["head -c 3000000 /dev/zero | tr '\\0' x"],
           looks=False)
suite.same("like-http", SSH + ["cat"], stdin=b"GET / HTTP/1.1\r\nHost: a\r\n"
           b"\r\n" * 100, looks=False)
suite.same("refused", SSH[:-1] + ["-o", "PubkeyAuthentication=no",
                                  USER + "@127.0.0.1", "true"], status=255,
           looks=False)


@suite.case("below-a-run")
def below():
    """The client is in the tree; what runs over there is not, nor is told of."""
    result = suite.runner.autotrace_run(SSH + ["env; exit 9"], ["-q"])
    result.expect_status(9)
    check(not result.err, "%r", result.err)
    check(b"AUTOTRACE_HUB" not in result.out and
          b"TRACEPARENT" not in result.out, "%r", result.out)
    seen = [s["name"] for s in result.spans()]
    check(seen == ["ssh"], "%s", seen)


@suite.case("server-has-no-span")
def server_silent():
    check(not os.path.exists(spans) or otlp_decode.spans_of_file(spans) == [],
          "the server made spans")


sys.exit(suite.main())
