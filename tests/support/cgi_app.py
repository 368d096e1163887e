# SPDX-License-Identifier: Apache-2.0
"""CGI programs and plain folders as apps of the truth server."""
import os
import subprocess
import urllib.parse


def cgi(program, environment):
    """An app that runs a CGI program once for each request."""
    def app(exchange):
        exchange.keep_body = True
        exchange.content = b""
        exchange.read_body()
        request = exchange.request
        variables = dict(environment)
        variables.update({
            "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1",
            "REQUEST_METHOD": request.method, "QUERY_STRING": exchange.query,
            "PATH_INFO": urllib.parse.unquote(exchange.path),
            "CONTENT_TYPE": request.get("content-type"),
            "CONTENT_LENGTH": str(len(exchange.content)),
            "REMOTE_ADDR": "127.0.0.1",
        })
        for name, value in request.headers:
            key = "HTTP_" + name.upper().replace("-", "_")
            variables.setdefault(key, value)
        done = subprocess.run(program, input=bytes(exchange.content),
                              env=variables, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        status, fields = 200, []
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                status = int(value[:3])
            elif name:
                fields.append((name, value))
        exchange.answer(status, content, fields)
    return app


def folder(path):
    """An app that serves the files below path."""
    def app(exchange):
        exchange.read_body()
        name = os.path.normpath(urllib.parse.unquote(exchange.path))
        file = os.path.join(path, name.lstrip("/"))
        if not os.path.isfile(file):
            return exchange.answer(404, b"no such file\n")
        stamp = "Thu, 01 Jan 2026 00:00:00 GMT"
        if exchange.request.get("if-modified-since") == stamp:
            return exchange.answer(304)
        with open(file, "rb") as source:
            return exchange.answer(200, source.read(),
                                   [("Last-Modified", stamp)])
    return app
