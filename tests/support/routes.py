# SPDX-License-Identifier: Apache-2.0
"""The routes of the truth server: one function each, on an Exchange.

ROUTES maps the first part of the path to f(exchange, rest of the path).
Unless said otherwise a route reads the request's body before it answers.
"""
import socket
import time

BIG_BYTES = 1 << 20
ROUTES = {}


def route(name):
    def put(function):
        ROUTES[name] = function
        return function
    return put


def text_of(exchange):
    """A small body that tells the client what the server understood."""
    return ("%s %s got %d bytes %s\n" % (
        exchange.request.method, exchange.request.target,
        exchange.body.length, exchange.body.sha256()[:16])).encode()


def filler(count):
    """count bytes that are not all alike."""
    line = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.\n"
    return (line * (count // len(line) + 1))[:count]


@route("ok")
def ok(exchange, _):
    exchange.read_body()
    exchange.answer(200, text_of(exchange),
                    [("Content-Type", "text/plain")])


@route("big")
def big(exchange, _):
    """?bytes=N, 1 MiB unless told."""
    exchange.read_body()
    exchange.answer(200, filler(exchange.option("bytes", BIG_BYTES)))


@route("bighead")
def big_head(exchange, _):
    """A response head of ?bytes=N (30,000)."""
    exchange.read_body()
    fields = [("X-Filler-%d" % i, "x" * 900)
              for i in range(exchange.option("bytes", 30000) // 900)]
    exchange.answer(200, b"ok\n", fields)


@route("chunked")
def chunked(exchange, _):
    """?n= chunks of ?size= bytes, an extension and, with ?trailer=1, one."""
    exchange.read_body()
    if exchange.request.version == "1.0":
        return exchange.answer(200, text_of(exchange))
    fields = [("Transfer-Encoding", "chunked")]
    exchange.send(exchange.head(200, fields + exchange.connection_header()))
    if exchange.request.method == "HEAD":
        return None
    for number in range(exchange.option("n", 7)):
        piece = filler(exchange.option("size", 1000) + number)
        extension = b";note=x" if exchange.option("extension", 0) else b""
        exchange.send(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece))
    trailer = b"X-Sum: 1\r\n" if exchange.option("trailer", 0) else b""
    return exchange.send(b"0\r\n" + trailer + b"\r\n")


@route("status")
def status(exchange, argument):
    exchange.read_body()
    exchange.answer(int(argument), text_of(exchange))


@route("204")
def no_content(exchange, _):
    exchange.read_body()
    exchange.answer(204)


@route("304")
def not_modified(exchange, _):
    exchange.read_body()
    exchange.answer(304, headers=[("ETag", '"truth"')])


@route("redirect")
def redirect(exchange, argument):
    """/redirect/N: N hops of 302 (?as= another), then /ok."""
    exchange.read_body()
    hops = int(argument or 1)
    code = exchange.option("as", 302)
    target = "/ok" if hops <= 1 else "/redirect/%d?as=%d" % (hops - 1, code)
    exchange.answer(code, b"elsewhere\n", [("Location", target)])


@route("auth")
def auth(exchange, _):
    """Basic credentials, whatever they are."""
    exchange.read_body()
    if exchange.request.get("authorization").startswith("Basic "):
        exchange.answer(200, b"welcome\n")
    else:
        exchange.answer(401, b"who?\n",
                        [("WWW-Authenticate", 'Basic realm="truth"')])


@route("close")
def close_delimited(exchange, _):
    """HTTP/1.0, no length: the end of the connection ends the body."""
    exchange.read_body()
    exchange.close = True
    exchange.send(exchange.head(200, [("Server", "truth")], version="1.0"))
    if exchange.request.method != "HEAD":
        exchange.send(filler(5000))


@route("close11")
def close_delimited_11(exchange, _):
    exchange.read_body()
    exchange.close = True
    exchange.send(exchange.head(200, [("Connection", "close")]))
    if exchange.request.method != "HEAD":
        exchange.send(filler(5000))


@route("slow")
def slow(exchange, _):
    """Thinks for ?ms= before it answers."""
    exchange.read_body()
    time.sleep(exchange.option("ms", 200) / 1000)
    exchange.answer(200, text_of(exchange))


@route("100")
def continue_first(exchange, _):
    """100 when Expect is there (as every route), and its answer says so."""
    asked = exchange.request.expects_100()
    exchange.read_body()
    exchange.answer(200, (b"asked\n" if asked else b"not asked\n")
                    + text_of(exchange))


@route("103")
def early_hints(exchange, _):
    """103 and 200 in one write; ?apart=1 in two."""
    exchange.read_body()
    exchange.interim(103, "Early Hints", [("Link", "</a.css>; rel=preload")],
                     hold=exchange.option("apart", 0) == 0)
    exchange.answer(200, text_of(exchange))


@route("417")
def expectation_failed(exchange, _):
    """Refuses an Expect: the body is never asked for."""
    if exchange.request.expects_100():
        exchange.close = True
        return exchange.answer(417, b"no\n")
    exchange.read_body()
    return exchange.answer(200, text_of(exchange))


@route("empty-reply")
def empty_reply(exchange, _):
    exchange.read_body()
    exchange.record["fault"] = "empty reply"
    exchange.close = True


@route("reset")
def reset(exchange, _):
    """RST before the answer; /reset/mid in the middle of the body."""
    exchange.read_body()
    exchange.record["fault"] = "reset"
    exchange.close = True
    if exchange.path.endswith("/mid"):
        exchange.send(exchange.head(200, [("Content-Length", "100000")])
                      + filler(20000))
        wait_until_read(exchange.connection.socket)
    exchange.connection.abort()


def wait_until_read(sock):
    """Until the peer's kernel has all: a reset throws away what is queued.

    There is no event for this; SIOCOUTQ tells what is not acknowledged.
    """
    import fcntl
    import struct
    import termios
    for _ in range(1000):
        left = fcntl.ioctl(sock, termios.TIOCOUTQ, struct.pack("i", 0))
        if struct.unpack("i", left)[0] == 0:
            break
        time.sleep(0.001)
    # The peer's kernel has it; give the peer the time to take it from there.
    time.sleep(0.2)


@route("truncated")
def truncated(exchange, argument):
    """Says 1,000 bytes, sends 500; /truncated/chunked: no last chunk."""
    exchange.read_body()
    exchange.record["fault"] = "truncated"
    exchange.close = True
    if argument == "chunked":
        exchange.send(exchange.head(200, [("Transfer-Encoding", "chunked")])
                      + b"1f4\r\n" + filler(500) + b"\r\n")
    elif argument == "head":
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    else:
        exchange.send(exchange.head(200, [("Content-Length", "1000")])
                      + filler(500))


@route("early")
def early(exchange, _):
    """413 before the body is read; then the body, for as long as it comes."""
    exchange.close = True
    exchange.answer(413, b"too large\n")
    sock = exchange.connection.socket
    sock.shutdown(socket.SHUT_WR)
    exchange.request.headers = [h for h in exchange.request.headers
                                if h[0].lower() != "expect"]
    if exchange.option("read", 1):
        sock.settimeout(10)
        exchange.read_body()


@route("drip")
def drip(exchange, _):
    """Every byte in a write, and so most likely in a segment, of its own."""
    exchange.read_body()
    content = text_of(exchange)
    data = exchange.head(200, [("Content-Length", str(len(content)))]
                         + exchange.connection_header())
    if exchange.request.method != "HEAD":
        data += content
    for byte in data:
        exchange.send(bytes([byte]))


@route("garbage")
def garbage(exchange, _):
    exchange.read_body()
    exchange.record["fault"] = "garbage"
    exchange.close = True
    exchange.send(b"\x00\x01\x02 this is not the protocol\r\n\r\n" * 10)


@route("upgrade")
def upgrade(exchange, _):
    """101, then echoes whatever comes until the end."""
    exchange.read_body()
    exchange.close = True
    exchange.send(exchange.head(101, [("Upgrade", "echo"),
                                      ("Connection", "Upgrade")]))
    while True:
        piece = exchange.connection.reader.take_some(65536)
        if not piece:
            return
        exchange.send(piece)
