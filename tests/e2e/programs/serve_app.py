# SPDX-License-Identifier: Apache-2.0
"""/N asks BACK one to three times for /call/I/N, and answers with N.

`wsgi` for gunicorn, `asgi` for uvicorn; by itself, `serve_app.py KIND PORT
BACK`, a server that goes on calling, or hands its calls to others.
"""
import asyncio
import concurrent.futures
import http.server
import os
import sys
import threading
import urllib.parse
import urllib.request

back = sys.argv[3] if __name__ == "__main__" else os.environ["BACK"]
address = urllib.parse.urlsplit(back)


def paths(number):
    return ["/call/%d/%d" % (i, number) for i in range(1 + number % 3)]


def call(path):
    with urllib.request.urlopen(back + path) as answer:
        return answer.read()


def wsgi(environ, start):
    body = [call(path) for path in paths(int(environ["PATH_INFO"][1:]))][0]
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]


async def call_async(path):
    reader, writer = await asyncio.open_connection(address.hostname,
                                                   address.port)
    writer.write(("GET %s HTTP/1.0\r\nHost: %s\r\n\r\n" %
                  (path, address.netloc)).encode())
    body = (await reader.read()).partition(b"\r\n\r\n")[2]
    writer.close()
    await writer.wait_closed()
    return body


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    for path in paths(int(scope["path"][1:])):
        body = await call_async(path)
    await send({"type": "http.response.start", "status": 200, "headers": [
        (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Pool(Handler):
    """Its calls are made by eight threads that know of no request."""

    def do_GET(self):
        self.answer(list(pool.map(call, paths(int(self.path[1:]))))[0])


class Shared(Handler):
    """All threads call by the same few connections."""

    def do_GET(self):
        self.answer([shared.request("GET", back + path).data
                     for path in paths(int(self.path[1:]))][0])


class After(Handler):
    """Its thread answers, and calls then."""

    def do_GET(self):
        self.answer(self.path[1:].encode())
        for path in paths(int(self.path[1:])):
            call(path)


class AfterInThread(Handler):
    """It calls, answers, and has a thread call once more."""

    def do_GET(self):
        number = int(self.path[1:])
        for path in paths(number):
            call(path)
        self.answer(b"%d" % number)
        threading.Thread(target=call,
                         args=("/call/later/%d" % number,)).start()


if __name__ == "__main__":
    pool = concurrent.futures.ThreadPoolExecutor(8)
    if sys.argv[1] == "shared":
        import urllib3
        shared = urllib3.PoolManager(maxsize=4, block=True)
    http.server.ThreadingHTTPServer.request_queue_size = 128
    http.server.ThreadingHTTPServer(
        ("127.0.0.1", int(sys.argv[2])),
        {"pool": Pool, "shared": Shared, "after": After, "after-thread": AfterInThread}
        [sys.argv[1]]).serve_forever()
