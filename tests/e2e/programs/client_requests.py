# SPDX-License-Identifier: Apache-2.0
"""requests (urllib3). Arguments: see plan() in tests/support/coverage.py."""
import concurrent.futures
import hashlib
import sys

import requests

BASE, METHOD, PATH, BODY, COUNT, MODE, FILE = sys.argv[1:]

SIZES = [int(size) for size in BODY[6:].split(",")
         if BODY.startswith("sizes=")]


def sized(number):
    """Method and body of a request where their sizes are given."""
    size = SIZES[number % len(SIZES)]
    if not size:
        return "GET", None
    with open(FILE, "rb") as file:
        return METHOD, file.read(size)


def pieces():
    with open(FILE, "rb") as file:
        while piece := file.read(60000):
            yield piece


def one(session, path, method=METHOD, data=None):
    headers = {"User-Agent": "client"}
    if BODY == "small":
        data = b"hello world!"
    elif BODY == "chunked":
        data = pieces()
    elif BODY != "none" and not SIZES:
        data = b"".join(pieces())
    if BODY == "expect":
        headers["Expect"] = "100-continue"
    try:
        answer = session.request(method, BASE + path, data=data,
                                 headers=headers, timeout=50,
                                 allow_redirects=True)
    except (requests.RequestException) as error:
        return "%s error %s" % (path, type(error).__name__)
    return "%s %d %d %s" % (path, answer.status_code, len(answer.content),
                            hashlib.sha256(answer.content).hexdigest())


def main():
    paths = [PATH]
    if int(COUNT) > 1:
        paths = ["%s?i=%d" % (PATH, i) for i in range(int(COUNT))]
    with requests.Session() as session:
        if MODE == "parallel":
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                lines = sorted(pool.map(lambda p: one(session, p), paths))
        elif SIZES:
            lines = [one(session, path, *sized(number))
                     for number, path in enumerate(paths)]
        else:
            lines = [one(session, path) for path in paths]
    print("\n".join(lines))


main()
