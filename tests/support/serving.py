# SPDX-License-Identifier: Apache-2.0
"""What the tests of servers have in common: who asks them, whom they call, and
waiting for the spans of the last answers."""
import collections
import http.client
import http.server
import threading
import time

import otlp_decode
from harness import check

SERVER = 2


class Back:
    """Whom the servers call: keeps what it was told."""

    def __init__(self):
        self.contexts = {}      # of the last call for a number
        self.heard = []         # (number, context) of every call
        back = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                number = self.path.rpartition("/")[2]
                told = self.headers.get("traceparent", "")
                back.contexts[number] = told
                back.heard.append((int(number), told))
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
        self.port = self.server.server_port
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def context_of(number):
    """The context that the client of request N sends along."""
    return "00-%032x-%016x-01" % (number + 1, number + 1)


def headers_of(number):
    return {"traceparent": context_of(number)}


def ask(port, numbers, headers_for):
    """All of them, one after another on one connection; `numbers` is shared."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while True:
        try:
            number = numbers.popleft()
        except IndexError:
            break
        connection.request("GET", "/%d" % number, headers=headers_for(number))
        answer = connection.getresponse()
        body = answer.read()
        check(answer.status == 200 and body == b"%d" % number,
              "%d: %s %r", number, answer.status, body)
    connection.close()


def ask_all(port, numbers, at_once, headers_for):
    """GET /N for each of the numbers, which is to be answered with N."""
    shared, failures = collections.deque(numbers), []

    def run():
        try:
            ask(port, shared, headers_for)
        except Exception as failure:      # told by the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=run) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not failures, "%s", failures[:3])


def number_of(span):
    """The number of the request that a span is of."""
    told = span["attributes"]
    path = told.get("url.path") or told["url.full"]
    return int(path.rpartition("/")[2])


def await_spans(path, count, kind=SERVER):
    """A server may be on its way from its last answer to its span."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            spans = otlp_decode.spans_of_file(path)
        except (FileNotFoundError, otlp_decode.Invalid):
            spans = []          # not yet, or in the middle of a line
        if sum(span["kind"] == kind for span in spans) >= count:
            return
        time.sleep(0.05)
