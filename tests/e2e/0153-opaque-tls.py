#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""TLS of programs that keep their plaintext to themselves: under `run` one
honest span a connection, never where a request's own span is to be had."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from harness import BARE_ONLY, PROGRAMS, check
from spancheck import client_spans
from tls import TlsSuite
from truth_server import TruthServer

suite = TlsSuite("opaque-tls")
trusted = os.path.join(suite.runner.home, "trusted.p12")
subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "test",
                "-file", suite.cert, "-keystore", trusted, "-storepass",
                "secret"], check=True, stderr=subprocess.DEVNULL)

NODE = """const https = require("https"), fs = require("fs");
const [url, count, ca] = process.argv.slice(2);
const agent = new https.Agent({ keepAlive: true, maxSockets: 1,
    ca: ca && fs.readFileSync(ca) });
async function main() {
    for (let i = 0; i < Number(count); i++)
        await new Promise(done => https.get(url, { agent }, answer => {
            answer.on("data", data => process.stdout.write(data));
            answer.on("end", done);
        }).on("error", error => { console.log(error.code); done(); }));
    agent.destroy();
}
main();
"""
script = suite.runner.write("get.js", NODE.encode())
ERLANG = """{ok, _} = application:ensure_all_started(inets),
{ok, _} = application:ensure_all_started(ssl), {ok, {_, _, B}} = httpc:request(get, {hd(init:get_plain_arguments()), []},
  [{ssl, [{verify, verify_none}]}], []), io:put_chars(B), init:stop()."""


def node(url, count=1, ca=suite.cert):
    return ["node", script, url, str(count)] + ([ca] if ca else [])


def java(url):
    base, _, path = url.rpartition("/")
    return ["java", "-Djavax.net.ssl.trustStore=" + trusted,
            "-Djavax.net.ssl.trustStorePassword=secret",
            os.path.join(PROGRAMS, "HttpUrl.java"), base, "GET", "/" + path,
            "none", "1", "serial", "-"]


def erlang(url):
    return ["erl", "-noshell", "-eval", ERLANG, "-extra", url]


def tls_spans(spans):
    return [s for s in spans if s["name"] == "TLS"]


def traced(url, argv, **more):
    """Its spans; output and status are those of a bare run."""
    bare = suite.runner.run(argv, env=dict(suite.env, **more))
    result = suite.runner.autotrace_run(
        argv, env=dict(suite.env, **more), timeout_s=60)
    check(bare.status == 0, "bare: %s %r", bare.status, bare.err)
    check(result.out == bare.out and result.status == bare.status,
          "%s: %r (%s), bare %r (%s)", argv, result.out, result.status,
          bare.out, bare.status)
    return result.spans()


def check_opaque(span, server, error=None):
    attributes = span["attributes"]
    check(span["kind"] == 3 and span["parentSpanId"], "%s", span)
    check(not [key for key in attributes if key.startswith(("http.", "url."))],
          "%s", attributes)
    check(attributes["autotrace.opaque"] is True, "%s", attributes)
    # Java names no server that has no dot in its name.
    check(attributes["server.address"] in ("localhost", "127.0.0.1"), "%s",
          attributes)
    check(attributes["server.port"] == server.port, "%s", attributes)
    check(attributes["autotrace.tls.sent_bytes"] > 100, "%s", attributes)
    check(attributes.get("error.type") == error, "%s", attributes)
    if not error:
        check(attributes["autotrace.tls.handshake_ms"] >= 0, "%s", attributes)
        check(attributes["autotrace.tls.received_bytes"] > 500, "%s",
              attributes)


def each_version(name):
    """A case for each version, given the server."""
    def put(function):
        for version, context in suite.contexts.items():
            def run(context=context, version=version):
                if not BARE_ONLY:
                    with TruthServer(tls=context) as server:
                        function(server, version)
            suite.add("%s-%s" % (name, version), run)
        return function
    return put


def local(server, path="/ok"):
    return server.url(path).replace("127.0.0.1", "localhost")


def one_span(program):
    def run(server, version):
        del version
        spans = traced(local(server), program(local(server)))
        check(len(tls_spans(spans)) == 1, "%s", spans)
        check({s["kind"] for s in spans} == {1, 3}, "%s", spans)
        check_opaque(*tls_spans(spans), server)
    return run


for name, program in (("node", node), ("java", java), ("erlang", erlang)):
    each_version(name)(one_span(program))


@each_version("keep-alive")
def keep_alive(server, version):
    """Five requests, one connection: what we can see is one."""
    del version
    spans = traced(local(server), node(local(server), 5))
    check(len(server.records()) == 10, "%d requests", len(server.records()))
    check(len(tls_spans(spans)) == 1, "%s", spans)


@each_version("untrusted")
def untrusted(server, version):
    """OpenSSL says why in the clear; of node's goodbye only the end is seen."""
    spans = tls_spans(traced(local(server), node(local(server), 1, None)))
    check(len(spans) == 1, "%s", spans)
    wanted = None if version == "tls12" else "tls_handshake_incomplete"
    check_opaque(spans[0], server, wanted)
    spans = tls_spans(traced(
        local(server), ["/usr/bin/python3", "-c", "import urllib.request as u, "
                        "sys\ntry: u.urlopen(sys.argv[1])\n"
                        "except OSError as e: print(type(e))", local(server)],
        SSL_CERT_FILE="/dev/null"))
    check(len(spans) == 1, "%s", spans)
    check_opaque(spans[0], server, "tls_unknown_ca")


@each_version("plaintext-is-better")
def plaintext(server, version):
    """A request's own span, and nothing beside it."""
    del version
    for argv in (["curl", "-sS", "--http1.1", local(server)],
                 ["wget", "-q", "--ca-certificate=" + suite.cert, "-O", "-",
                  local(server)],
                 ["/usr/bin/python3", os.path.join(PROGRAMS,
                                                   "client_urllib.py"),
                  local(server, ""), "GET", "/ok", "none", "2", "serial", "-"],
                 ["/usr/bin/python3", os.path.join(PROGRAMS,
                                                   "client_aiohttp.py"),
                  local(server, ""), "GET", "/ok", "none", "2", "serial",
                  "-"]):
        spans = traced(local(server), argv)
        check(client_spans(spans), "%s: no request", argv)
        check(not tls_spans(spans), "%s: %s", argv, spans)


@each_version("off")
def off(server, version):
    """Where nobody asked: a bare preload, or run told so."""
    del version
    spans = traced(local(server), node(local(server)),
                   AUTOTRACE_TLS_SPANS="false")
    check(not tls_spans(spans), "%s", spans)
    result = suite.runner.run(node(local(server)), env=suite.env, traced=True)
    check(result.status == 0 and not result.spans(), "%s", result.spans())


sys.exit(suite.main())
