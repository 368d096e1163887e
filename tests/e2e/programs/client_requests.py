# SPDX-License-Identifier: Apache-2.0
"""requests (urllib3). Arguments: see plan() in tests/support/coverage.py."""
import concurrent.futures
import hashlib
import sys

import requests

BASE, METHOD, PATH, BODY, COUNT, MODE, FILE = sys.argv[1:]


def pieces():
    with open(FILE, "rb") as file:
        while piece := file.read(60000):
            yield piece


def one(session, path):
    headers = {"User-Agent": "client"}
    data = None
    if BODY == "small":
        data = b"hello world!"
    elif BODY == "chunked":
        data = pieces()
    elif BODY != "none":
        data = b"".join(pieces())
    if BODY == "expect":
        headers["Expect"] = "100-continue"
    try:
        answer = session.request(METHOD, BASE + path, data=data,
                                 headers=headers, timeout=50,
                                 allow_redirects=True)
    except (requests.RequestException) as error:
        return "error %s" % type(error).__name__
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
        else:
            lines = [one(session, path) for path in paths]
    print("\n".join(lines))


main()
