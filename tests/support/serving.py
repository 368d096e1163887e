# SPDX-License-Identifier: Apache-2.0
"""What the tests of servers have in common: whom they call, and waiting for
the spans of the last answers."""
import http.server
import threading
import time

import otlp_decode

SERVER = 2


class Back:
    """Whom the servers call: keeps what it was told."""

    def __init__(self):
        self.contexts = {}
        back = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                number = self.path.rpartition("/")[2]
                back.contexts[number] = self.headers.get("traceparent", "")
                body = number.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def await_spans(path, count):
    """A server may be on its way from its last answer to its span."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            spans = otlp_decode.spans_of_file(path)
        except (FileNotFoundError, otlp_decode.Invalid):
            spans = []          # not yet, or in the middle of a line
        if sum(span["kind"] == SERVER for span in spans) >= count:
            return
        time.sleep(0.05)
