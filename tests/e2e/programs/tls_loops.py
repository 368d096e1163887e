# SPDX-License-Identifier: Apache-2.0
"""HTTPS of Python's other libraries: tls_loops.py LIBRARY URL CERTIFICATE."""
import sys

LIBRARY, URL, CERTIFICATE = sys.argv[1:]


def httpx():
    import httpx
    with httpx.Client(verify=CERTIFICATE) as client:
        for _ in range(2):
            print(client.get(URL).text)


def httpx_async():
    import asyncio
    import httpx

    async def main():
        async with httpx.AsyncClient(verify=CERTIFICATE) as client:
            for _ in range(2):
                print((await client.get(URL)).text)
    asyncio.run(main())


def gevent():
    from gevent import monkey
    monkey.patch_all()
    import ssl
    import urllib.request
    context = ssl.create_default_context(cafile=CERTIFICATE)
    print(urllib.request.urlopen(URL, context=context).read())


def tornado():
    from tornado.httpclient import AsyncHTTPClient
    from tornado.ioloop import IOLoop
    print(IOLoop.current().run_sync(
        lambda: AsyncHTTPClient().fetch(URL, ca_certs=CERTIFICATE)).body)


def twisted():
    from twisted.internet import reactor, ssl
    from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, readBody
    with open(CERTIFICATE) as file:
        trusted = ssl.Certificate.loadPEM(file.read())

    def done(body):
        print(body)
        reactor.stop()
    Agent(reactor, BrowserLikePolicyForHTTPS(trusted)).request(
        b"GET", URL.encode()).addCallback(readBody).addBoth(done)
    reactor.run()


def uvloop():
    import asyncio
    import ssl
    import uvloop as loop

    async def main():
        host = URL.split("/")[2]
        name, port = host.split(":")
        context = ssl.create_default_context(cafile=CERTIFICATE)
        reader, writer = await asyncio.open_connection(name, int(port),
                                                       ssl=context)
        writer.write(b"GET /ok HTTP/1.1\r\n")
        writer.write(b"Host: %s\r\nConnection: close\r\n\r\n" % host.encode())
        print(await reader.read())
    loop.install()
    asyncio.run(main())


def soup():
    import gi
    gi.require_version("Soup", "2.4")
    from gi.repository import Soup
    session = Soup.Session(ssl_use_system_ca_file=False,
                           ssl_ca_file=CERTIFICATE)
    message = Soup.Message.new("GET", URL)
    print(session.send_message(message),
          message.props.response_body_data.get_data())


def pyopenssl():
    import socket
    from OpenSSL import SSL
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.load_verify_locations(CERTIFICATE)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    name, port = URL.split("/")[2].split(":")
    connection = SSL.Connection(context, socket.create_connection(
        (name, int(port))))
    connection.set_tlsext_host_name(name.encode())
    connection.set_connect_state()
    connection.sendall(b"GET /ok HTTP/1.1\r\nHost: %s:%s\r\n"
                       b"Connection: close\r\n\r\n"
                       % (name.encode(), port.encode()))
    try:
        while True:
            sys.stdout.buffer.write(connection.recv(4096))
    except (SSL.ZeroReturnError, SSL.SysCallError):
        pass


globals()[LIBRARY]()
