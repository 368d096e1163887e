# SPDX-License-Identifier: Apache-2.0
"""Private daemons for the tests: own configuration, own directory, free port.

None of them touches the machine's own services or configuration.
"""
import os
import shutil
import socket
import subprocess
import time

from harness import as_user, clean_environment, stop


def free_port():
    """A port that was free a moment ago; whoever uses it must be checked."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def answers(port, timeout_s=15, process=None):
    """Wait until something accepts connections on the port."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process and process.poll() is not None:
            return False
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False


class Daemon:
    """A process in the foreground, listening on a port of its own choice.

    make(port, home) -> argv, called again with another port when somebody
    else was quicker.
    """

    def __init__(self, runner, name, make, env=None, user=None):
        self.home = runner.path(name)
        os.makedirs(self.home, exist_ok=True)
        if user:
            shutil.chown(self.home, user, user)
        environment = clean_environment(runner.home)
        environment.update(env or {})
        for _ in range(5):
            self.port = free_port()
            argv = make(self.port, self.home)
            self.log = open(os.path.join(self.home, "log"), "ab")
            self.process = subprocess.Popen(
                argv, cwd=self.home, env=environment, stdout=self.log,
                stderr=self.log, stdin=subprocess.DEVNULL,
                start_new_session=True, **as_user(user))
            if answers(self.port, process=self.process):
                return
            self.close()
        with open(os.path.join(self.home, "log"), errors="replace") as log:
            raise RuntimeError("%s does not start: %s" % (name,
                                                          log.read()[-2000:]))

    def close(self):
        stop(self.process)
        self.log.close()


APACHE = """
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {home}/pid
DefaultRuntimeDir {home}
ErrorLog {home}/error.log
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dav_module /usr/lib/apache2/modules/mod_dav.so
LoadModule dav_svn_module /usr/lib/apache2/modules/mod_dav_svn.so
AcceptFilter http none
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 5
StartServers 1
ThreadsPerChild 8
MaxRequestWorkers 8
MinSpareThreads 1
MaxSpareThreads 8
{user}
<Location /svn>
    DAV svn
    SVNPath {repository}
</Location>
"""


def apache_svn(runner, repository):
    """Apache with mod_dav_svn, serving one repository at /svn."""
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""

    def make(port, home):
        path = os.path.join(home, "apache.conf")
        with open(path, "w") as file:
            file.write(APACHE.format(port=port, home=home, user=user,
                                     repository=repository))
        return ["apache2", "-DFOREGROUND", "-f", path]
    return Daemon(runner, "apache", make)


NGINX = """
daemon off;
master_process off;
pid {home}/pid;
error_log {home}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    client_header_buffer_size 64;
    large_client_header_buffers 8 1k;
    client_body_buffer_size 512;
    client_max_body_size 8m;
    output_buffers 1 512;
    keepalive_requests 11;
    sendfile off;
    server {{
        listen 127.0.0.1:{port} rcvbuf=4096 sndbuf=4096;
        server_name localhost;
        root {pages};
        location /ok {{
            client_body_in_file_only clean;
            proxy_pass http://127.0.0.1:{port}/page;
            proxy_buffers 2 1k;
            proxy_buffer_size 1k;
            proxy_busy_buffers_size 1k;
        }}
        location /page {{
            try_files /page.txt =404;
            error_page 405 =200 /page.txt;
        }}
    }}
}}
"""


def nginx_tiny(runner, pages):
    """nginx with buffers as small as it takes them: /ok reads a body, whatever
    the method, and answers with pages/page.txt."""
    def make(port, home):
        path = os.path.join(home, "nginx.conf")
        with open(path, "w") as file:
            file.write(NGINX.format(port=port, home=home, pages=pages))
        return ["nginx", "-p", home, "-e", os.path.join(home, "error.log"),
                "-c", path]
    return Daemon(runner, "nginx", make)
