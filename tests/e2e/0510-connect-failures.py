#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Connections that never came about: one error span for each failed attempt.

Real clients against ports where nobody listens, names that nobody has, and a
name with two addresses (::1 and 127.0.0.1) of which one or none answers.
"""
import os
import re
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from harness import Failure, check, compare_results
from spancheck import client_spans
from truth_server import TruthServer

CLIENT, ERROR = 3, 2
UNKNOWN = "nonexistent.invalid"
suite = harness.Suite("connect-failures")
runner = suite.runner
server = TruthServer()
suite.cleanup(server.close)
server6 = TruthServer("::1")
suite.cleanup(server6.close)


def closed_port():
    """Bound on both loopbacks and listening on none: always refused."""
    while True:
        v4 = socket.socket(socket.AF_INET)
        v4.bind(("127.0.0.1", 0))
        v6 = socket.socket(socket.AF_INET6)
        v6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            v6.bind(("::1", v4.getsockname()[1]))
        except OSError:
            v4.close()
            v6.close()
            continue
        suite.cleanup(v4.close)
        suite.cleanup(v6.close)
        return v4.getsockname()[1]


CLOSED = closed_port()
# Each tries url once and says how it went, without times and addresses.
PYTHON = ["/usr/bin/python3", "-c"]
URLLIB = """
import sys, urllib.request
try:
    print(len(urllib.request.urlopen(sys.argv[1], timeout=20).read()))
except OSError as error:
    print(type(error.reason).__name__)
"""
REQUESTS = """
import sys, requests
try:
    print(len(requests.get(sys.argv[1], timeout=20).content))
except requests.RequestException as error:
    print(type(error).__name__)
"""
ASYNCIO = """
import asyncio, sys, urllib.parse
async def main(url, **options):
    try:
        reader, writer = await asyncio.open_connection(url.hostname,
                                                       url.port, **options)
        writer.write(b"GET /ok HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n"
                     % url.netloc.encode())
        print(len(await reader.read()) > 0)
        writer.close()
    except OSError as error:
        print(type(error).__name__)
asyncio.run(main(urllib.parse.urlparse(sys.argv[1])OPTIONS))
"""
AIOHTTP = """
import asyncio, sys, aiohttp
async def main():
    try:
        async with aiohttp.ClientSession() as session:
            async with session.get(sys.argv[1]) as answer:
                print(len(await answer.read()))
    except aiohttp.ClientError as error:
        print(type(error).__name__)
asyncio.run(main())
"""
NODE_FETCH = """
fetch(process.argv[1]).then(r => r.text()).then(t => console.log(t.length))
    .catch(e => console.log(e.cause.code));
"""
NODE_HTTP = """
require("http").get(process.argv[1], r => { r.resume();
    r.on("end", () => console.log(r.statusCode)); })
    .on("error", e => console.log(e.code));
"""
JAVA_URL = """
import java.net.*;
public class Url {
    public static void main(String[] args) throws Exception {
        try {
            System.out.println(new URL(args[0]).openStream().read());
        } catch (java.io.IOException error) {
            System.out.println(error.getClass().getName());
        }
    }
}
"""
JAVA_NET_HTTP = """
import java.net.URI;
import java.net.http.*;
public class NetHttp {
    public static void main(String[] args) throws Exception {
        try {
            System.out.println(HttpClient.newHttpClient().send(
                HttpRequest.newBuilder(URI.create(args[0])).build(),
                HttpResponse.BodyHandlers.ofString()).statusCode());
        } catch (java.io.IOException error) {
            System.out.println(error.getClass().getName());
        }
    }
}
"""
PERL = """
use HTTP::Tiny;
print HTTP::Tiny->new->get($ARGV[0])->{status}, "\\n";
"""
RUBY = """
require "net/http"
begin
  puts Net::HTTP.get_response(URI(ARGV[0])).code
rescue SystemCallError, SocketError => error
  puts error.class
end
"""
PHP = "echo strlen((string)@file_get_contents($argv[1])), \"\\n\";"
LUA = """
local http = require("socket.http")
local body, code = http.request(arg[1])
print(body and code)
"""
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
        runner.home]


def java(name, source):
    """Compile on first use; a suite that picks other cases needs none."""
    if not os.path.exists(runner.path(name + ".class")):
        subprocess.run(["javac", "-d", runner.home,
                        runner.write(name + ".java", source)], check=True)
    return JAVA + [name]


PROGRAMS = {
    "curl": lambda: ["curl", "-sS"],
    "wget": lambda: ["wget", "-q", "-t", "1", "-O", "-"],
    "urllib": lambda: PYTHON + [URLLIB],
    "requests": lambda: PYTHON + [REQUESTS],
    "asyncio": lambda: PYTHON + [ASYNCIO.replace("OPTIONS", "")],
    "asyncio-race": lambda: PYTHON + [
        ASYNCIO.replace("OPTIONS", ", happy_eyeballs_delay=0.05")],
    "aiohttp": lambda: PYTHON + [AIOHTTP],
    "node-fetch": lambda: ["node", "-e", NODE_FETCH],
    "node-http": lambda: ["node", "-e", NODE_HTTP],
    "java-url": lambda: java("Url", JAVA_URL),
    "java-net-http": lambda: java("NetHttp", JAVA_NET_HTTP),
    "perl": lambda: ["perl", "-e", PERL],
    "ruby": lambda: ["ruby", "-e", RUBY],
    "php": lambda: ["php", "-r", PHP],
    "lua": lambda: ["lua", runner.write("get.lua", LUA)],
}


def normalise(data):
    """curl tells how long it took."""
    return re.sub(rb"after \d+ ms", b"after N ms", data)


def twice(argv, **options):
    """Bare, then traced: the same to whoever looks. Gives the traced run."""
    server.clear()
    server6.clear()
    bare = runner.run(argv, **options)
    traced = runner.run(argv, traced=True, **options)
    compare_results(bare, traced, normalise)
    return traced


def connects(result):
    return [s for s in result.spans() if s["name"] == "connect"]


def outline(spans):
    return "\n  ".join(str((s["name"], s["attributes"])) for s in spans)


def wanted(host, port, peer, cause, repeated=None):
    attributes = {"server.address": host, "error.type": cause}
    if port:
        attributes["server.port"] = port
    if peer:
        attributes["network.peer.address"] = peer
        attributes["network.peer.port"] = port
    if repeated:
        attributes["autotrace.repeated"] = repeated
    return attributes


def expect(result, *attributes):
    """Exactly these spans, in this order; peer and cause may be sets."""
    if harness.BARE_ONLY:
        return
    spans = connects(result)
    check(len(spans) == len(attributes), "%d spans, expected %d:\n  %s\n"
          "stdout: %r\nstderr: %r", len(spans), len(attributes),
          outline(result.spans()), result.out[-800:], result.err[-800:])
    for span, want in zip(spans, attributes):
        seen = dict(span["attributes"])
        seen.pop("autotrace.parent", None)
        peer = want.get("network.peer.address")
        if isinstance(peer, set):
            check(seen.get("network.peer.address") in peer, "peer %s",
                  seen.get("network.peer.address"))
            want = dict(want)
            want["network.peer.address"] = seen["network.peer.address"]
        if isinstance(want["error.type"], set):
            check(seen["error.type"] in want["error.type"], "%s", seen)
            want = dict(want, **{"error.type": seen["error.type"]})
        check(seen == want, "attributes %s, expected %s", seen, want)
        check(span["kind"] == CLIENT and span["status"] == ERROR,
              "kind %s, status %s", span["kind"], span["status"])
        check(result.start_ns <= span["start_ns"] <= span["end_ns"] <=
              result.end_ns, "%s is not within the run", span)


def expect_requests(result, count, at=server):
    """Bare and traced, the server saw so many; as many spans beside."""
    at.drain(idle_ok=True)
    check(len(at.records()) == 2 * count, "%d requests, twice %d expected",
          len(at.records()), count)
    if not harness.BARE_ONLY:
        spans = client_spans(result.spans())
        spans = [s for s in spans if s["name"] != "connect"]
        check(len(spans) == count, "%d request spans, expected %d", len(spans),
              count)


# --- nobody listens ---


def failures(program, host, port, peer):
    """What the program's one try gives."""
    cause = "connection_refused"
    if program == "lua":
        # It hears of the refusal by reading, and we may be too late then.
        cause = {cause, "_OTHER"}
    first = wanted(host, port, peer, cause)
    if program == "java-net-http":
        # It makes two attempts of its own accord.
        return [first, dict(first, **{"autotrace.repeated": 1})]
    return [first]


def refused(program):
    result = twice(PROGRAMS[program]() + ["http://127.0.0.1:%d/ok" % CLOSED])
    expect(result, *failures(program, "127.0.0.1", CLOSED, "127.0.0.1"))


for name in PROGRAMS:
    suite.add("refused-" + name, refused, name)


@suite.case("refused-bash")
def _():
    result = twice(["bash", "-c", "echo > /dev/tcp/127.0.0.1/%d" % CLOSED])
    expect(result, wanted("127.0.0.1", CLOSED, "127.0.0.1",
                          "connection_refused"))


@suite.case("refused-v6")
def _():
    result = twice(["curl", "-sS", "http://[::1]:%d/" % CLOSED])
    expect(result, wanted("::1", CLOSED, "::1", "connection_refused"))


@suite.case("refused-socat")
def _():
    result = twice(["socat", "-lf/dev/null", "-",
                    "TCP4:127.0.0.1:%d" % CLOSED])
    expect(result, wanted("127.0.0.1", CLOSED, "127.0.0.1",
                          "connection_refused"))


@suite.case("success")
def _():
    result = twice(["curl", "-sS", server.url("/ok")])
    expect(result)
    expect_requests(result, 1)


@suite.case("unsampled")
def _():
    result = twice(["curl", "-sS", "http://127.0.0.1:%d/" % CLOSED],
                   env={"OTEL_TRACES_SAMPLER": "always_off"})
    expect(result)


@suite.case("parent")
def _():
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    result = twice(["curl", "-sS", "http://127.0.0.1:%d/" % CLOSED],
                   env={"TRACEPARENT": "00-%s-%s-01" % (trace, parent)})
    if harness.BARE_ONLY:
        return
    span, = connects(result)
    program, = [s for s in result.spans() if s["kind"] == 1]
    check(program["traceId"] == trace and program["parentSpanId"] == parent,
          "not a child of the environment's: %s", program)
    check(span["traceId"] == trace and
          span["parentSpanId"] == program["spanId"],
          "not a child of the process: %s", span)
    check(span["attributes"]["autotrace.parent"] == "process", "%s", span)


@suite.case("unreachable")
def _():
    """In a network of its own, without a way anywhere."""
    result = twice(isolated("-n") + ["curl", "-sS", "http://10.9.8.7:81/"])
    expect(result, wanted("10.9.8.7", 81, "10.9.8.7", "network_unreachable"))


# --- over and over ---

LOOP = """
import socket, sys
for i in range(int(sys.argv[2])):
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
    except ConnectionRefusedError:
        pass
"""


@suite.case("loop")
def _():
    result = twice(PYTHON + [LOOP, str(CLOSED), "50"])
    first = wanted("127.0.0.1", CLOSED, "127.0.0.1", "connection_refused")
    expect(result, first, dict(first, **{"autotrace.repeated": 49}))


FORKS = """
import os, socket, sys
def one():
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
    except ConnectionRefusedError:
        pass
one()
one()
if not os.fork():
    one()
    sys.exit()
os.wait()
"""


@suite.case("fork")
def _():
    """What the parent counted is not the child's to report."""
    result = twice(PYTHON + [FORKS, str(CLOSED)])
    if harness.BARE_ONLY:
        return
    first = wanted("127.0.0.1", CLOSED, "127.0.0.1", "connection_refused")
    seen = sorted(s["attributes"].get("autotrace.repeated", 0)
                  for s in connects(result))
    check(seen == [0, 0, 1], "repeated: %s", seen)
    for span in connects(result):
        check(first.items() <= span["attributes"].items(), "%s", span)


THREADS = """
import socket, sys, threading
def work():
    for i in range(25):
        try:
            socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
        except ConnectionRefusedError:
            pass
threads = [threading.Thread(target=work) for i in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@suite.case("threads")
def _():
    result = twice(PYTHON + [THREADS, str(CLOSED)])
    first = wanted("127.0.0.1", CLOSED, "127.0.0.1", "connection_refused")
    expect(result, first, dict(first, **{"autotrace.repeated": 99}))


# --- names that nobody has ---


def unknown(program):
    result = twice(PROGRAMS[program]() + ["http://%s:81/ok" % UNKNOWN])
    if harness.BARE_ONLY:
        return
    # Whether the port is told to getaddrinfo, and how often they ask, is
    # theirs; asking is all they do.
    spans = connects(result)
    check(1 <= len(spans) <= 2, "%d spans:\n  %s\nstdout: %r\nstderr: %r",
          len(spans), outline(spans), result.out[-800:], result.err[-800:])
    for span in spans:
        seen = dict(span["attributes"])
        check(seen.pop("server.port", 81) == 81, "port: %s", span)
        seen.pop("autotrace.repeated", None)
        check(seen == wanted(UNKNOWN, None, None, "name_resolution_error"),
              "attributes %s", seen)
        check(span["status"] == ERROR, "status %s", span["status"])


for name in PROGRAMS:
    suite.add("unknown-" + name, unknown, name)


@suite.case("unknown-bash")
def _():
    result = twice(["bash", "-c", "echo > /dev/tcp/%s/81" % UNKNOWN])
    expect(result, wanted(UNKNOWN, 81, None, "name_resolution_error"))


@suite.case("number-asked")
def _():
    """Is it a number? No, says getaddrinfo, and that is no failure."""
    result = twice(PYTHON + ["""
import socket
try:
    socket.getaddrinfo("localhost", 80, flags=socket.AI_NUMERICHOST)
except socket.gaierror as error:
    print(error)
"""])
    expect(result)


# --- a name with two addresses ---

TWO = "two.autotrace.test"


def isolated(*options):
    """Prefix of a command that runs in namespaces of its own."""
    root = [] if os.geteuid() == 0 else ["-r"]
    prefix = ["unshare", *root, *options, "--"]
    done = subprocess.run(prefix + ["true"], capture_output=True)
    check(done.returncode == 0, "%s: %s\nthis test needs namespaces", prefix,
          done.stderr.decode())
    return prefix


def at_two(argv):
    """The command where TWO has ::1 and 127.0.0.1, in this order."""
    hosts = runner.write("hosts", "127.0.0.1 localhost\n::1 localhost\n"
                         "::1 %s\n127.0.0.1 %s\n" % (TWO, TWO))
    return isolated("-m") + [
        "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', hosts, *argv]


def two_prove():
    """That the clients below have two addresses to try."""
    result = runner.run(at_two(["getent", "ahosts", TWO]))
    found = [line.split()[0] for line in result.out.decode().splitlines()
             if "STREAM" in line]
    check(set(found) == {"::1", "127.0.0.1"}, "%s has %s", TWO, found)


suite.add("two", two_prove)


def one_answers(program):
    """::1 refuses, 127.0.0.1 answers: nothing failed."""
    result = twice(at_two(PROGRAMS[program]()
                          + ["http://%s:%d/ok" % (TWO, server.port)]))
    expect(result)
    expect_requests(result, 1)


def none_answers(program):
    """Both refuse: one failure, whichever was tried last."""
    result = twice(at_two(PROGRAMS[program]()
                          + ["http://%s:%d/ok" % (TWO, CLOSED)]))
    expect(result, *failures(program, TWO, CLOSED, {"::1", "127.0.0.1"}))


for name in PROGRAMS:
    suite.add("one-answers-" + name, one_answers, name)
    suite.add("none-answers-" + name, none_answers, name)


def localhost(program, to):
    result = twice(at_two(PROGRAMS[program]()
                          + ["http://localhost:%d/ok" % to.port]))
    expect(result)
    expect_requests(result, 1, to)


def localhost_closed(program):
    result = twice(at_two(PROGRAMS[program]()
                          + ["http://localhost:%d/ok" % CLOSED]))
    expect(result, *failures(program, "localhost", CLOSED,
                             {"::1", "127.0.0.1"}))


# curl knows localhost without asking.
for name in ("curl", "urllib", "node-http"):
    suite.add("localhost-v4-" + name, localhost, name, server)
    suite.add("localhost-v6-" + name, localhost, name, server6)
    suite.add("localhost-closed-" + name, localhost_closed, name)

PARALLEL = """
import asyncio, sys
async def one():
    try:
        reader, writer = await asyncio.open_connection(
            sys.argv[1], int(sys.argv[2]), happy_eyeballs_delay=0.05)
        writer.write(b"GET /ok HTTP/1.0\\r\\nHost: two\\r\\n\\r\\n")
        await reader.read()
        writer.close()
    except OSError:
        pass
async def main():
    await asyncio.gather(*[one() for i in range(12)])
asyncio.run(main())
"""


@suite.case("parallel-one-answers")
def _():
    result = twice(at_two(PYTHON + [PARALLEL, TWO, str(server.port)]))
    expect(result)
    expect_requests(result, 12)


@suite.case("parallel-none-answers")
def _():
    result = twice(at_two(PYTHON + [PARALLEL, TWO, str(CLOSED)]))
    first = wanted(TWO, CLOSED, {"::1", "127.0.0.1"}, "connection_refused")
    expect(result, first, dict(first, **{"autotrace.repeated": 11}))


@suite.case("links")
def _():
    """Each failure is a root of its own where nothing is above it."""
    result = twice(["curl", "-sS", "http://127.0.0.1:%d/" % CLOSED,
                    "http://%s/" % UNKNOWN])
    if harness.BARE_ONLY:
        return
    spans = connects(result)
    check(len(spans) == 2, "%d spans", len(spans))
    check(all(not s.get("parentSpanId") for s in spans), "%s", spans)


if __name__ == "__main__":
    try:
        sys.exit(suite.main())
    except Failure as failure:
        sys.exit(str(failure))
