#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""More servers of every style: how many calls hang under the right request.

Each answers /N having asked once, twice or thrice for /call/I/N; proxies hand
on what they get, one call each, with the context that came or (`-own`) without.
docs/mis-stitch.md has the table with 10,000 requests.
"""
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
import harness
from harness import PROGRAMS
from mis_stitch import Table

table = Table("more-servers")
suite, back = table.suite, table.back
PYTHON = ["/usr/bin/python3", "-B"]
APP = os.path.join(PROGRAMS, "serve_app.py")


def one(_):
    return 1


# ---- Python -----------------------------------------------------------------

for kind, options in (("sync", ["-w", "4"]), ("gthread", ["--threads", "8"]),
                      ("gevent", [])):
    table.add("gunicorn-" + kind, lambda port, home, kind=kind, options=options:
              [*PYTHON, "/usr/bin/gunicorn", "-k", kind, *options, "-b",
               "127.0.0.1:%d" % port, "--backlog", "128", "--chdir", PROGRAMS,
               "--worker-tmp-dir", home, "serve_app:wsgi"],
              blocking=kind != "gevent", env={"PYTHONDONTWRITEBYTECODE": "1"})
table.add("uvicorn", lambda port, home: [
    *PYTHON, "/usr/bin/uvicorn", "--app-dir", PROGRAMS, "--port", str(port),
    "--log-level", "warning", "serve_app:asgi"], blocking=False)
table.add("pool", lambda port, home: [*PYTHON, APP, "pool", str(port),
                                      back.url], blocking=False)
table.add("shared", lambda port, home: [*PYTHON, APP, "shared", str(port),
                                        back.url])
table.add("after", lambda port, home: [*PYTHON, APP, "after", str(port),
                                       back.url],
          blocking=False, background=True)
table.add("after-thread", lambda port, home: [
    *PYTHON, APP, "after-thread", str(port), back.url], blocking=False,
    background=True, calls=lambda number: 2 + number % 3)

# ---- proxies ----------------------------------------------------------------

APACHE = """
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {home}/pid
DefaultRuntimeDir {home}
ErrorLog {home}/error.log
LoadModule mpm_{mpm}_module /usr/lib/apache2/modules/mod_mpm_{mpm}.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
AcceptFilter http none
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
StartServers 2
{sizes}
{user}
ProxyPass / {back}/call/
{forget}
"""
# One process could take them all: event hangs up on idle clients when its
# threads are all busy.
THREADS = ("ThreadsPerChild 64\nMaxRequestWorkers 128\nMinSpareThreads 1\n"
           "MaxSpareThreads 128")


def apache(mpm, own, port, home):
    path = os.path.join(home, "apache.conf")
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    with open(path, "w") as file:
        file.write(APACHE.format(
            port=port, home=home, mpm=mpm, user=user, back=back.url,
            sizes="MaxRequestWorkers 64" if mpm == "prefork" else THREADS,
            forget="RequestHeader unset traceparent" if own else ""))
    return ["apache2", "-DFOREGROUND", "-f", path]


VCL = """
vcl 4.1;
backend back {{ .host = "127.0.0.1"; .port = "{port}"; }}
sub vcl_recv {{ return (pass); }}
sub vcl_backend_fetch {{
  set bereq.url = "/call" + bereq.url;
  {forget}
}}
"""


def varnish(own, port, home):
    path = os.path.join(home, "default.vcl")
    with open(path, "w") as file:
        file.write(VCL.format(port=back.port, forget="unset bereq.http."
                              "traceparent;" if own else ""))
    return ["varnishd", "-F", "-n", home, "-j", "none", "-f", path, "-a",
            "127.0.0.1:%d" % port, "-T", "none", "-s", "malloc,16m", "-p",
            "thread_pool_min=60", "-p", "thread_pools=1"]


for own in (False, True):
    for mpm in ("prefork", "worker", "event"):
        table.add("apache-" + mpm + "-own" * own,
                  lambda port, home, mpm=mpm, own=own:
                  apache(mpm, own, port, home), calls=one)
    table.add("varnish" + "-own" * own, lambda port, home, own=own:
              varnish(own, port, home), blocking=not own, calls=one)

# ---- loops and tasks --------------------------------------------------------

NETTY = ":".join("/usr/share/java/netty-%s.jar" % name for name in (
    "common", "buffer", "transport", "resolver", "codec", "codec-http",
    "handler"))
table.add("netty", lambda port, home: [
    "java", "-XX:TieredStopAtLevel=1", "-cp", NETTY,
    os.path.join(PROGRAMS, "ServeNetty.java"), str(port), str(back.port)],
    blocking=False)


def new_java():
    """A JDK with virtual threads, where there is one."""
    for java in sorted(glob.glob("/usr/lib/jvm/*/bin/java")):
        told = subprocess.run([java, "-version"], capture_output=True,
                              text=True).stderr
        version = re.search(r'version "(\d+)', told)
        if version and int(version[1]) >= 21:
            return java
    return None


java = new_java()
if java:
    table.add("virtual-threads", lambda port, home: [
        java, "-XX:TieredStopAtLevel=1",
        os.path.join(PROGRAMS, "ServeVirtual.java"), str(port), back.url],
        blocking=False)
else:
    suite.note("virtual-threads: no JDK of 21 or later here")

# The distribution's compiler with the distribution's sources: no network.
CARGO = ["cargo", "build", "-q", "--offline", "--config",
         'source.crates-io.replace-with="here"', "--config",
         'source.here.directory="/usr/share/cargo/registry"']
built = []


def tokio(port, home):
    if not built:
        target = suite.runner.path("tokio")
        environment = harness.clean_environment(suite.runner.home)
        environment["PATH"] = "/usr/bin:/bin"
        subprocess.run([*CARGO, "--target-dir", target, "--manifest-path",
                        copy_of_sources()], check=True, env=environment)
        built.append(os.path.join(target, "debug", "serve_tokio"))
    return [built[0], str(port), str(back.port)]


def copy_of_sources():
    """Cargo writes a file beside them."""
    source = suite.runner.path("serve_tokio")
    subprocess.run(["cp", "-r", os.path.join(PROGRAMS, "serve_tokio"), source],
                   check=True)
    return os.path.join(source, "Cargo.toml")


table.add("tokio", tokio, blocking=False)

sys.exit(suite.main())
