#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""HTTPS of more programs, each with its own way of using its TLS library:
browsers for terminals, netcats, filter BIOs, memory BIOs, event loops."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from coverage import sort_headers, want
from harness import PROGRAMS
from tls import TlsSuite

suite = TlsSuite("tls-programs")
CERT = suite.cert
UPLOAD = 3_000_000
one = [want("GET", "/ok", 200)]


def local(url):
    return url("/ok").replace("127.0.0.1", "localhost")


def command(name, argv, wanted=None, **options):
    """argv(url) of one command that asks once (or as wanted says)."""
    suite.both(name, lambda url: [(argv(local(url)), wanted or one)],
               **options)


def raw(url):
    host = url.split("/")[2]
    return ("GET /ok HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
            % host).encode()


def netcat(name, argv, **options):
    """One that sends its standard input."""
    def commands(url):
        host, port = local(url).split("/")[2].split(":")
        yield argv(host, port), one, {"stdin": raw(local(url))}
    suite.both(name, commands, **options)


def settled(data):
    """siege: no times, and nothing about its first start ever."""
    data = re.sub(rb"(?s)^New configuration.*?that file\n", b"", data)
    return re.sub(rb" +[0-9.]+", b" N", data)


# --- browsers and the like ---

command("lynx", lambda url: ["lynx", "-cfg=/dev/null", "-source", url])
command("w3m", lambda url: ["w3m", "-o", "ssl_ca_file=" + CERT,
                            "-dump_source", url])
command("links", lambda url: ["links", "-ssl.certificates", "0", "-source",
                              url])
command("elinks", lambda url: [
    "elinks", "-no-home", "1", "-eval",
    "set connection.ssl.cert_verify = 0", "-source", url])
command("wget2", lambda url: ["wget2", "-q", "--http2=off", "--no-hsts",
                              "--ca-certificate=" + CERT, "-O", "-", url])
command("lftp", lambda url: [
    "lftp", "-c", "set ssl:ca-file %s; set net:max-retries 1; cat %s"
    % (CERT, url)], [want("GET", "/ok", 200)])
command("httping", lambda url: ["httping", "-l", "-G", "-c", "2", "-i", "0.1",
                                url], one * 2,
        normalise=lambda d: re.sub(rb" *[0-9.]+", b" N", d))
command("siege", lambda url: ["siege", "-q", "-c", "1", "-r", "2", "-b", url],
        one * 2, normalise=settled)

command("apt", lambda url: [
    "/usr/lib/apt/apt-helper", "-q", "-o", "Acquire::https::CAInfo=" + CERT,
    "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=0",
    "download-file", url, "/dev/null"],
        normalise=lambda d: re.sub(rb"(?m)^(Get|Fetched).*$", b"", d),
        status=None)
# Not one of its own, but it asks; its answers are in 0122.
command("svn", lambda url: [
    "svn", "info", "--non-interactive", "--config-dir",
    os.path.join(suite.runner.home, "svn"), "--config-option",
    "servers:global:ssl-authority-files=" + CERT, url],
        [want("OPTIONS", "/ok", 200, 131)], status=1)

# --- what is typed goes out ---

netcat("ncat", lambda host, port: [
    "ncat", "--ssl-verify", "--ssl-trustfile", CERT, host, port])
netcat("socat", lambda host, port: [
    "socat", "-,ignoreeof", "OPENSSL:%s:%s,cafile=%s" % (host, port, CERT)])
netcat("s_client", lambda host, port: [
    "openssl", "s_client", "-quiet", "-ign_eof", "-CAfile", CERT, "-connect",
    "%s:%s" % (host, port)])

# --- libraries ---

command("tcl", lambda url: ["tclsh", os.path.join(PROGRAMS, "client.tcl"), url,
                            CERT, "-"],
        [want("GET", "/ok?i=0", 200), want("GET", "/ok?i=1", 200)])
suite.both("tcl-slow-reader", lambda url: [
    (["tclsh", os.path.join(PROGRAMS, "client.tcl"), local(url), CERT,
      suite.body], [want("POST", "/ok", 200, UPLOAD)])], slow=True)
suite.client("lua-sec", ["lua5.4", os.path.join(PROGRAMS, "client.lua")],
             ["get", "post", "head", "notfound"], normalise_head=sort_headers)
for library, count in (("httpx", 2), ("httpx_async", 2), ("gevent", 1),
                       ("tornado", 1), ("twisted", 1), ("uvloop", 1),
                       ("soup", 1), ("pyopenssl", 1)):
    command("python-" + library, lambda url, library=library: [
        "/usr/bin/python3", "-W", "ignore",
        os.path.join(PROGRAMS, "tls_loops.py"), library, url, CERT],
            one * count)

sys.exit(suite.main())
