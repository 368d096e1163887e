#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""Several libcurls in one process, and functions looked up by name.

libcurl.so.4 (OpenSSL), libcurl-gnutls.so.4 and a private copy side by side;
the programs that bring one or the other: pycurl, php-curl, Debian's cargo, git
with both; and a program that finds libssl with dlsym, as Qt and mono do.
"""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from cgi_app import cgi
from coverage import check_requests, want
from harness import PROGRAMS, check, clean_environment, compare_results
from spancheck import (FIRST_BYTE, PHASES, TRACEPARENT, check_spans,
                       traceparents, without_traceparent)
from tls import TlsSuite
from truth_server import TruthServer

suite = TlsSuite("curl-copies")
path = suite.runner.path
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
OPENSSL = os.path.join(LIBRARIES, "libcurl.so.4")
GNUTLS = os.path.join(LIBRARIES, "libcurl-gnutls.so.4")
TLS = suite.contexts["tls13"]


def build(name, source, *options):
    target = path(name)
    subprocess.run(["gcc", "-O1", "-fPIC", "-D_GNU_SOURCE", "-Wall", "-o",
                    target, os.path.join(PROGRAMS, source), *options],
                   check=True)
    return target


def copy(name, of):
    """A library under a name of its own: another one to the loader."""
    target = path(name)
    shutil.copyfile(of, target)
    return target


def told(records, spans):
    """What libcurl says of each request; {} where it says nothing."""
    ids = {span["spanId"]: span["attributes"] for span in spans}
    curl = {FIRST_BYTE, *PHASES}
    return [{key: value for key, value in ids[TRACEPARENT.fullmatch(
        traceparents(record)[0]).group(2)].items() if key in curl}
        for record in records]


def expect_told(targets):
    """Those of these targets, and of no others, are followed by libcurl."""
    def check_traced(_, records, spans):
        for record, facts in zip(records, told(records, spans)):
            check((FIRST_BYTE in facts) == (record["target"] in targets),
                  "%s: %s", record["target"], facts)
    return check_traced


# --- copies ---

host = build("host", "curl_host.c", "-pthread", "-ldl")
plugins = [
    build("openssl.so", "curl_plugin.c", "-shared", "-lcurl"),
    build("gnutls.so", "curl_plugin.c", "-shared", "-l:libcurl-gnutls.so.4"),
    build("private.so", "curl_plugin.c", "-shared",
          '-DPRIVATE="%s"' % copy("libcurl-private.so", OPENSSL), "-ldl"),
]
linked = build("linked", "curl_host.c", "-pthread", "-ldl",
               "-Wl,--no-as-needed", "-lcurl", "-l:libcurl-gnutls.so.4")


def side_by_side(name, program, order, followed):
    """`followed`: numbers of those plugins whose libcurl is hooked."""
    def run():
        for context in (None, TLS):
            with TruthServer(tls=context) as server:
                suite.on(server).run_http(
                    [program, suite.cert, server.url("/ok"),
                     *[plugins[i] for i in order]],
                    [want("GET", "/ok?by=%d" % i, 200)
                     for i in range(len(order)) for _ in range(6)],
                    ordered=False,
                    normalise=lambda out: b"\n".join(sorted(out.split(b"\n"))),
                    check_traced=expect_told(["/ok?by=%d" % i
                                              for i in followed]))
    suite.add(name, run)


side_by_side("three", host, [0, 1, 2], [0, 1])
side_by_side("other-order", host, [1, 0], [0, 1])
# The first to be loaded is the one that a name stands for.
side_by_side("private-first", host, [2, 1, 0], [0, 1, 2])
side_by_side("private-alone", host, [2], [0])
side_by_side("linked-at-the-start", linked, [0, 1], [0, 1])


@suite.case("by-name")
def by_name():
    """libssl by dlsym: the first copy is seen, a second one is left alone."""
    program = build("by_name", "tls_by_name.c", "-ldl")
    libssl = os.path.join(LIBRARIES, "libssl.so.3")
    second = copy("libssl-second.so", libssl)
    with TruthServer(tls=TLS) as server:
        argv = [program, libssl, "127.0.0.1", str(server.port)]
        suite.on(server).run_http(argv, [want("GET", "/ok", 200)])
        bare = suite.runner.run(argv + [second])
        server.drain()
        server.clear()
        traced = suite.runner.run(argv + [second], traced=True)
        server.drain()
        compare_results(bare, traced)
        records = server.records()
        check([len(traceparents(r)) for r in records] == [1, 0], "%s",
              records)
        check_spans(records[:1], traced.spans())


# --- programs ---

PYCURL = """
import pycurl, sys
def one(url):
    c = pycurl.Curl()
    c.setopt(c.URL, url)
    c.setopt(c.CAINFO, sys.argv[1])
    c.setopt(c.WRITEFUNCTION, lambda data: None)
    return c
easy = one(sys.argv[2] + "?i=0")
easy.perform()
print(easy.getinfo(pycurl.RESPONSE_CODE))
multi = pycurl.CurlMulti()
several = [one(sys.argv[2] + "?i=%d" % i) for i in range(1, 6)]
for c in several:
    multi.add_handle(c)
running = 1
while running:
    multi.select(1.0)
    running = multi.perform()[1]
print(sorted(c.getinfo(pycurl.RESPONSE_CODE) for c in several),
      len(multi.info_read()[1]))
for c in several:
    multi.remove_handle(c)
    c.close()
"""
PHP = """
function one($url) {
    $c = curl_init($url);
    curl_setopt($c, CURLOPT_CAINFO, $GLOBALS["argv"][1]);
    curl_setopt($c, CURLOPT_RETURNTRANSFER, true);
    return $c;
}
$url = $argv[2];
$c = one($url . "?i=0");
echo strlen(curl_exec($c)), curl_getinfo($c, CURLINFO_RESPONSE_CODE), "\\n";
$copy = curl_copy_handle($c);
curl_setopt($copy, CURLOPT_URL, $url . "?i=1");
curl_exec($copy);
$multi = curl_multi_init();
foreach (range(2, 5) as $i)
    curl_multi_add_handle($multi, one($url . "?i=" . $i));
do {
    curl_multi_exec($multi, $running);
    curl_multi_select($multi, 1.0);
} while ($running);
while ($done = curl_multi_info_read($multi))
    echo $done["result"], "\\n";
"""
SIX = [want("GET", "/ok?i=%d" % i, 200) for i in range(6)]
SIX_TOLD = expect_told([target for _, target, *_ in SIX])


def both_ways(name, argv):
    @suite.case(name)
    def run():
        for context in (None, TLS):
            with TruthServer(tls=context) as server:
                suite.on(server).run_http(
                    argv + [suite.cert, server.url("/ok")], SIX,
                    ordered=False, check_traced=SIX_TOLD)


both_ways("pycurl", ["/usr/bin/python3", "-c", PYCURL])
both_ways("php-curl", ["php", "-r", PHP])


@suite.case("php-curl-kept-away")
def php_kept_away():
    """With RTLD_DEEPBIND as php asks for it, it passes us by."""
    with TruthServer() as server:
        argv = ["php", "-r", PHP, suite.cert, server.url("/ok")]
        bare = suite.runner.run(argv)
        server.drain()
        server.clear()
        traced = suite.runner.run(argv, traced=True,
                                  env={"AUTOTRACE_DEEPBIND": "keep"})
        server.drain()
        compare_results(bare, traced)
        check_requests(server.records(), SIX, False)
        check(not any(traceparents(r) for r in server.records())
              and not traced.spans(), "spans %s", traced.spans())


GIT = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
       "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
       "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
       "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
       "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"}


def git(*arguments, cwd=None):
    subprocess.run(["git", *arguments], cwd=cwd, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=dict(clean_environment(suite.runner.home), **GIT))


def make_repository(name, files):
    work = path(name)
    git("init", "-q", "-b", "main", work)
    for file, content in files.items():
        with open(os.path.join(work, file), "wb") as out:
            out.write(content)
    git("add", ".", cwd=work)
    git("commit", "-qm", "all", cwd=work)
    return work


@suite.case("cargo")
def cargo():
    """Debian's: its registry's index is a folder, its API is ours."""
    if not os.path.exists("/usr/bin/cargo"):
        return suite.note("cargo is not installed")

    def crates(exchange):
        exchange.answer(200, json.dumps(
            {"crates": [{"name": "shop", "max_version": "1.0.0",
                         "description": "d"}],
             "meta": {"total": 1}}).encode(),
            [("Content-Type", "application/json")])

    for context in (None, TLS):
        with TruthServer(tls=context, apps={"/api": crates}) as server:
            name = "index-%s" % bool(context)
            index = make_repository(name, {"config.json": json.dumps(
                {"dl": server.url(""), "api": server.url("")}).encode()})
            target = "/api/v1/crates?q=shop&per_page=10"
            suite.on(server).run_http(
                ["/usr/bin/cargo", "search", "-q", "shop", "--index",
                 "file://" + index],
                [want("GET", target, 200)], collect=False,
                env={"CARGO_HOME": path("cargo-" + name),
                     "CARGO_HTTP_CAINFO": suite.cert,
                     "CARGO_HTTP_MULTIPLEXING": "false"},
                check_traced=expect_told([target]))


def elf_hash(name):
    value = 0
    for byte in name:
        value = (value << 4) + byte
        value = (value ^ (value >> 28 << 4)) & 0xfffffff
    return value.to_bytes(4, "little")


def openssl_flavour():
    """libcurl.so.4 with the version names that Debian's git asks for."""
    folder = path("flavour")
    os.mkdir(folder)
    with open(OPENSSL, "rb") as file:
        data = file.read()
    for old, new in ((b"CURL_OPENSSL_4\0", b"CURL_GNUTLS_3\0\0"),
                     (elf_hash(b"CURL_OPENSSL_4"), elf_hash(b"CURL_GNUTLS_3"))):
        check(data.count(old) == 1, "%r in %s", old, OPENSSL)
        data = data.replace(old, new)
    with open(os.path.join(folder, "libcurl-gnutls.so.4"), "wb") as file:
        file.write(data)
    return folder


def clone_and_push(suite, traced, folder, env):
    """What became of both: (results, records, the server's new head)."""
    served = os.path.join(folder, "shop.git")
    shutil.rmtree(folder, ignore_errors=True)
    git("clone", "-q", "--bare", path("seed"), served)
    git("config", "http.receivepack", "true", cwd=served)
    work = os.path.join(folder, "work")
    cloned, first = suite.once(
        ["git", "clone", "-q", suite.server.url("/shop.git"), work], traced,
        env=env, collect=False)
    cloned.expect_status(0)
    with open(os.path.join(work, "large"), "wb") as file:
        file.write(LARGE)
    git("add", ".", cwd=work)
    git("commit", "-qm", "large", cwd=work)
    pushed, second = suite.once(["git", "push", "-q", "origin", "main"],
                                traced, env=env, cwd=work, collect=False)
    pushed.expect_status(0)
    head = subprocess.run(["git", "rev-parse", "main"], cwd=served, check=True,
                          stdout=subprocess.PIPE).stdout
    return (cloned, pushed), (first, second), head


LARGE = os.urandom(2_000_000)


def git_over_https(name, library_path):
    @suite.case("git-" + name)
    def run():
        folder = path("srv-" + name)
        if not os.path.exists(path("seed")):
            make_repository("seed", {"file%d" % i: os.urandom(50_000)
                                     for i in range(10)})
        env = dict(GIT, GIT_SSL_CAINFO=suite.cert)
        if library_path:
            env["LD_LIBRARY_PATH"] = library_path()
        backend = cgi(["git", "http-backend"], dict(
            clean_environment(suite.runner.home), GIT_PROJECT_ROOT=folder,
            GIT_HTTP_EXPORT_ALL="1", **GIT))
        for context in suite.contexts.values():
            with TruthServer(tls=context, apps={"/shop.git": backend}
                             ) as server:
                other = suite.on(server)
                bare, before, head = clone_and_push(other, False, folder, env)
                traced, after, same = clone_and_push(other, True, folder, env)
                check(head == same, "pushed %s and %s", head, same)
                for i in range(2):
                    check(bare[i].err == traced[i].err, "stderr %r",
                          traced[i].err)
                    check([r["head"] for r in before[i]]
                          == [without_traceparent(r["head"])
                              for r in after[i]], "other requests")
                    check_spans(after[i], traced[i].spans())
                    check(all(FIRST_BYTE in facts for facts in
                              told(after[i], traced[i].spans())),
                          "libcurl's part is missing")


git_over_https("gnutls", None)
git_over_https("openssl", openssl_flavour)

sys.exit(suite.main())
