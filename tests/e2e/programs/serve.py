# SPDX-License-Identifier: Apache-2.0
"""serve.py KIND PORT BACK: /N asks BACK for /call/N, and answers with N."""
import http.server
import sys
import urllib.request

kind, port, back = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def plain(server_class):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self):
            with urllib.request.urlopen(back + "/call" + self.path) as answer:
                body = answer.read()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server_class.request_queue_size = 128
    server_class(("127.0.0.1", port), Handler).serve_forever()


def wild():
    """/N: what poll and select say of addresses where nothing is."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    calls = [lambda at: libc.poll(at, 1, 0),
             lambda at: libc.ppoll(at, 1, None, None),
             lambda at: libc.select(8, at, None, None, None),
             lambda at: libc.select(8, None, at, None, None)]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            told = []
            for call in calls:
                for at in (8, -1, 1 << 40):
                    if at == 1 << 40 and call in calls[2:]:
                        continue    # it is read before the kernel sees it
                    ctypes.set_errno(0)
                    told.append((call(ctypes.c_void_p(at)),
                                 ctypes.get_errno()))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(repr(told).encode())

        def log_message(self, *_):
            pass

    http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()


def flask():
    import logging
    import flask as web
    import requests
    logging.getLogger("werkzeug").disabled = True
    app = web.Flask("serve")

    @app.get("/<path:number>")
    def serve(number):
        return requests.get(back + "/call/" + number, timeout=30).text

    app.run("127.0.0.1", port, threaded=True)


def aiohttp():
    import asyncio
    import aiohttp as http_library
    from aiohttp import web

    async def serve(request):
        async with request.app["session"].get(
                back + "/call" + request.path) as answer:
            return web.Response(text=await answer.text())

    async def serve_and_call(request):
        """Answers first; its call is nobody's business any more."""
        async def call():
            async with request.app["session"].get(
                    back + "/call" + request.path) as answer:
                await answer.read()

        async def call_later():
            await asyncio.sleep(0)
            await call()
        request.app["later"].append(asyncio.create_task(call_later()))
        return web.Response(text=request.path[1:])

    async def session(app):
        app["later"] = []
        app["session"] = http_library.ClientSession()
        yield
        await app["session"].close()

    app = web.Application()
    app.cleanup_ctx.append(session)
    app.router.add_get("/{number}", serve_and_call if kind == "later" else
                       serve)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


{"single": lambda: plain(http.server.HTTPServer),
 "threads": lambda: plain(http.server.ThreadingHTTPServer),
 "wild": wild, "flask": flask, "aiohttp": aiohttp, "later": aiohttp}[kind]()
