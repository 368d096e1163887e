#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""HTTP/2 of real clients, in the clear and inside TLS: one span for each
request in the server's log, whose traceparent arrived; results as bare."""
import os
import re
import shutil
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from daemons import Daemon
from harness import Suite, check, compare_results
from tls import make_certificate

NGINX = """
daemon off;
master_process off;
pid {home}/pid;
error_log {home}/error.log;
events {{ worker_connections 256; }}
http {{
    log_format truth '$server_protocol $request_method $request_uri $status '
                     '$http_traceparent';
    access_log {home}/access truth;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    client_max_body_size 16m;
    server {{
        listen 127.0.0.1:{port} http2 rcvbuf=8192;
        listen unix:{home}/plain;
        root {pages};
        location /post {{ proxy_pass http://unix:{home}/plain:/hello; }}
        location /hello {{ error_page 405 =200 /hello; }}
        location /redirect {{ return 302 /hello; }}
        location /hang {{ proxy_pass http://unix:{home}/hang; }}
        location /few {{ keepalive_requests 5; try_files /hello =404; }}
    }}
}}
"""
BIG = 300_000
UPLOAD = 2_000_000

suite = Suite("http2")
pages = suite.runner.path("pages")
os.makedirs(pages)
for name, content in (("hello", b"hello\n"), ("big", b"0123456789" * 30_000)):
    with open(os.path.join(pages, name), "wb") as file:
        file.write(content)
upload = suite.runner.write("upload", b"x" * UPLOAD)
cert, key = make_certificate(suite.runner.home)


def nginx(tls):
    def make(port, home):
        path = os.path.join(home, "nginx.conf")
        text = NGINX.format(port=port, home=home, pages=pages)
        if tls:
            text = text.replace(" http2 ", " ssl http2 ").replace(
                "root ", "ssl_certificate %s; ssl_certificate_key %s;"
                "ssl_protocols %s; root " % (cert, key, tls), 1)
        if os.path.exists(os.path.join(home, "plain")):
            os.unlink(os.path.join(home, "plain"))
        with open(path, "w") as conf:
            conf.write(text)
        return ["nginx", "-p", home, "-e", os.path.join(home, "error.log"),
                "-c", path]
    daemon = Daemon(suite.runner, "nginx-" + (tls or "clear"), make)
    suite.cleanup(daemon.close)
    return daemon


def requests_of(daemon, count):
    """The log, once it has so many lines: nginx writes one a request.

    Its lines may come a moment after the answers.
    """
    path = os.path.join(daemon.home, "access")
    deadline = time.monotonic() + 10
    while True:
        with open(path) as log:
            lines = [line.split() for line in log
                     if line.startswith("HTTP/2")]
        if len(lines) >= count or time.monotonic() > deadline:
            return lines
        time.sleep(0.02)


ENV = {"CURL_CA_BUNDLE": cert, "SSL_CERT_FILE": cert,
       "GIT_SSL_CAINFO": cert, "GIT_CONFIG_NOSYSTEM": "1"}


def run(daemon, argv, count, normalise=None, before=None):
    """The spans; `count` requests, or None: as many as the log shows."""
    path = os.path.join(daemon.home, "access")
    open(path, "w").close()
    env = ENV
    if before:
        before()
    bare = suite.runner.run(argv, traced=False, env=env).expect_status(0)
    seen = requests_of(daemon, count or 1)
    check(not count or len(seen) == count, "bare: %d requests, not %d", len(seen), count)
    check(all(line[4] == "-" for line in seen), "a traceparent, bare")
    with open(path, "w"):
        pass
    if before:
        before()
    traced = suite.runner.run(argv, traced=True, env=env)
    compare_results(bare, traced, normalise)
    if not traced.traced:
        return []
    spans = traced.spans()
    count = count or len(spans)
    seen = requests_of(daemon, count)
    check(len(seen) == count, "%d requests, not %d", len(seen), count)
    check(len(spans) == count, "%d spans, not %d", len(spans), count)
    check_spans(seen, spans)
    return spans


def check_spans(seen, spans):
    """Each request's traceparent names the span that tells of it."""
    left = {"00-%s-%s" % (s["traceId"], s["spanId"]): s for s in spans}
    for _, method, target, status, parent in seen:
        span = left.pop(parent[:52], None)
        check(span, "nobody's traceparent: %s %s %s", method, target, parent)
        told = span["attributes"]
        check(told["http.request.method"] == method and
              told["url.full"].endswith(target) and
              told["http.response.status_code"] == int(status) and
              told["network.protocol.version"] == "2",
              "%s %s %s is told as %s", method, target, status, told)


def curl_cases(daemon, base, more):
    curl = ["curl", "-sS", "--max-time", "50"] + more
    run(daemon, curl + [base + "/hello"], 1)
    run(daemon, curl + ["-I", base + "/hello"], 1,
        lambda data: re.sub(rb"(?m)^date:.*$", b"", data))
    run(daemon, curl + ["-o", "out", base + "/big"], 1)
    run(daemon, curl + ["--data-binary", "@" + upload, base + "/post"], 1)
    run(daemon, curl + [base + "/missing"], 1)
    if "--http2-prior-knowledge" in more:
        return  # curl 7.88 cannot use such a connection again
    run(daemon, curl + ["-L", base + "/redirect"], 2)
    phases(run(daemon, curl + [base + "/hello?[1-20]"], 20))
    phases(run(daemon, curl + ["-Z", "-o", "out#1", base + "/hello?[1-50]"],
               50, lambda data: data.split(b"\r")[0]))
    phases(run(daemon, curl + [base + "/few?[1-20]"], 20))


def phases(spans):
    """One connection or several: what libcurl knows is on its own request."""
    connects = sum("autotrace.curl.tls_ms" in span["attributes"]
                   for span in spans)
    check(not spans or 0 < connects < len(spans), "%d of %d have connected",
          connects, len(spans))
    for span in spans:
        check("autotrace.curl.first_byte_ms" in span["attributes"],
              "no phases: %s", span["attributes"])


def given_up():
    """The client resets a stream whose answer does not come, and says why."""
    daemon = nginx("TLSv1.3")
    path = os.path.join(daemon.home, "hang")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(path)
        silent.listen(64)
        argv = ["curl", "-sS", "--http2", "-Z", "-o", "out", "--max-time",
                "0.5", "https://127.0.0.1:%d/hang?[1-3]" % daemon.port]
        suite.runner.run(argv, env=ENV).expect_status(28)
        traced = suite.runner.run(argv, traced=True, env=ENV).expect_status(28)
    if not traced.traced:
        return
    spans = traced.spans()
    check(len(spans) == 3, "%d spans", len(spans))
    for span in spans:
        told = span["attributes"]
        check(told.get("error.type") == "operation_timedout" and
              "http.response.status_code" not in told and
              span["status"] == 2, "%s", span)


def git():
    """A clone by plain files: many small requests, several at a time."""
    daemon = nginx("TLSv1.3")
    make = ("git init -q -b main work && cd work && "
            "git config user.name a && git config user.email a@localhost && "
            "for i in 1 2 3 4 5 6 7 8; do echo $i >file$i && git add . && "
            "git commit -qm $i; done && cd .. && "
            "git clone -q --bare work %s/repo.git && cd %s/repo.git && "
            "git update-server-info" % (pages, pages))
    suite.runner.run(["sh", "-c", make]).expect_status(0)
    argv = ["git", "clone", "-q", "--bare",
            "https://127.0.0.1:%d/repo.git" % daemon.port, "clone"]

    def before():
        shutil.rmtree(os.path.join(suite.runner.home, "clone"),
                      ignore_errors=True)
    before()
    suite.runner.run(argv, env=ENV).expect_status(0)
    run(daemon, argv, None, before=before)


PYCURL = """
import io, sys, pycurl
multi = pycurl.CurlMulti()
multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, 4)
handles = []
for i in range(500):
    easy = pycurl.Curl()
    easy.body = io.BytesIO()
    easy.setopt(easy.URL, sys.argv[1] + '/hello?%d' % i)
    easy.setopt(easy.WRITEDATA, easy.body)
    easy.setopt(easy.CAINFO, sys.argv[2])
    easy.setopt(easy.HTTP_VERSION, easy.CURL_HTTP_VERSION_2TLS)
    easy.setopt(easy.PIPEWAIT, 1)
    multi.add_handle(easy)
    handles.append(easy)
left = 1
while left:
    multi.select(0.1)
    left = multi.perform()[1]
print(sum(easy.body.getvalue() == b'hello\\n' for easy in handles))
"""


def pycurl():
    daemon = nginx("TLSv1.2")
    phases(run(daemon, ["/usr/bin/python3", "-c", PYCURL,
                        "https://127.0.0.1:%d" % daemon.port, cert], 500))


def wget2():
    daemon = nginx("TLSv1.3")
    base = "https://127.0.0.1:%d" % daemon.port
    run(daemon, ["wget2", "-q", "--no-config", "--ca-certificate", cert,
                 "-O", "-", base + "/hello", base + "/big", base + "/hello?2"],
        3, len)


def curl_clear():
    daemon = nginx("")
    curl_cases(daemon, "http://127.0.0.1:%d" % daemon.port,
               ["--http2-prior-knowledge"])


def curl_tls(version):
    daemon = nginx(version)
    curl_cases(daemon, "https://127.0.0.1:%d" % daemon.port, ["--http2"])


def untimed(_):
    return b""


def load():
    daemon = nginx("")
    base = "http://127.0.0.1:%d" % daemon.port
    run(daemon, ["h2load", "-n", "2000", "-c", "4", "-m", "32",
                 base + "/hello"], 2000, untimed)
    run(daemon, ["h2load", "-n", "20", "-c", "2", "-m", "4", "-d", upload,
                 base + "/post"], 20, untimed)
    run(daemon, ["nghttp", "-n", base + "/hello", base + "/big"], 2, untimed)


def load_tls():
    daemon = nginx("TLSv1.3")
    base = "https://127.0.0.1:%d" % daemon.port
    run(daemon, ["h2load", "-n", "2000", "-c", "4", "-m", "100",
                 base + "/hello"], 2000, untimed)
    run(daemon, ["nghttp", "-n", base + "/hello", base + "/big"], 2, untimed)


NODE = """
const client = require('http2').connect(process.argv[1]);
let left = 20;
for (let i = 0; i < 20; i++) {
    const stream = client.request({':path': '/hello?' + i});
    stream.resume();
    stream.on('end', () => { if (!--left) client.close(); });
}
"""


def node():
    daemon = nginx("")
    run(daemon, ["node", "-e", NODE, "http://127.0.0.1:%d" % daemon.port], 20)


HTTPX = """
import sys, httpx
with httpx.Client(http2=True, verify=sys.argv[2]) as client:
    for i in range(5):
        print(client.get(sys.argv[1] + '/hello?%d' % i).text)
    print(client.post(sys.argv[1] + '/post', content=b'x' * 500000).text)
"""


def httpx():
    daemon = nginx("TLSv1.2")
    run(daemon, ["/usr/bin/python3", "-c", HTTPX,
                 "https://127.0.0.1:%d" % daemon.port, cert], 6)


suite.add("curl-clear", curl_clear)
suite.add("curl-tls12", lambda: curl_tls("TLSv1.2"))
suite.add("curl-tls13", lambda: curl_tls("TLSv1.3"))
suite.add("h2load-nghttp", load)
suite.add("h2load-nghttp-tls", load_tls)
suite.add("node-clear", node)
suite.add("httpx", httpx)
suite.add("curl-given-up", given_up)
suite.add("git", git)
suite.add("pycurl-multi", pycurl)
suite.add("wget2", wget2)
sys.exit(suite.main())
