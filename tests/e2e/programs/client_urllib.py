# SPDX-License-Identifier: Apache-2.0
"""urllib.request (one connection a request) and http.client (kept alive).

Arguments: see plan() in tests/support/coverage.py.
"""
import hashlib
import http.client
import sys
import threading
import urllib.error
import urllib.request

BASE, METHOD, PATH, BODY, COUNT, MODE, FILE = sys.argv[1:]
HEADERS = {"User-Agent": "client"}
SIZES = [int(size) for size in BODY[6:].split(",")
         if BODY.startswith("sizes=")]


def pieces():
    with open(FILE, "rb") as file:
        while piece := file.read(60000):
            yield piece


def content():
    if BODY == "none" or SIZES:
        return None
    if BODY == "small":
        return b"hello world!"
    if BODY == "chunked":
        return pieces()
    return b"".join(pieces())


def line(status, data):
    return "%d %d %s" % (status, len(data), hashlib.sha256(data).hexdigest())


def sized(number):
    """Method and body of a request where their sizes are given."""
    size = SIZES[number % len(SIZES)]
    if not size:
        return "GET", None
    with open(FILE, "rb") as file:
        return METHOD, file.read(size)


def by_urllib(path=PATH, method=METHOD, body=None):
    headers = dict(HEADERS)
    if BODY == "expect":
        headers["Expect"] = "100-continue"
    if BODY != "none" and not SIZES:
        headers["Content-Type"] = "text/plain"
    request = urllib.request.Request(BASE + path, body or content(), headers,
                                     method=method)
    try:
        with urllib.request.urlopen(request, timeout=50) as answer:
            return line(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        return line(error.code, error.read())


def connect():
    scheme, _, authority = BASE.partition("://")
    kind = (http.client.HTTPSConnection if scheme == "https"
            else http.client.HTTPConnection)
    return kind(authority, timeout=50)


def by_client(paths, lines):
    connection = connect()
    for path in paths:
        connection.request(METHOD, path, headers=HEADERS)
        answer = connection.getresponse()
        lines.append(path + " " + line(answer.status, answer.read()))
    connection.close()


def by_sizes(paths, lines):
    """Three kept alive, one by urllib, and so on; errors and all."""
    connection = connect()
    for number, path in enumerate(paths):
        method, body = sized(number)
        try:
            if number % 4 == 3:
                lines.append(path + " " + by_urllib(path, method, body))
                continue
            connection.request(method, path, body, HEADERS)
            answer = connection.getresponse()
            lines.append(path + " " + line(answer.status, answer.read()))
        except (OSError, http.client.HTTPException) as error:
            lines.append("%s error %s" % (path, type(error).__name__))
            connection.close()
    connection.close()


def main():
    lines = []
    paths = ["%s?i=%d" % (PATH, i) for i in range(int(COUNT))]
    if MODE == "parallel":
        threads = [threading.Thread(target=by_client,
                                    args=(paths[i::8], lines))
                   for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    elif SIZES:
        by_sizes(paths, lines)
    elif len(paths) > 1:
        by_client(paths, lines)
    else:
        try:
            lines.append(by_urllib())
        except (OSError, http.client.HTTPException) as error:
            lines.append("error %s" % type(error).__name__)
    print("\n".join(sorted(lines) if MODE == "parallel" else lines))


main()
