# SPDX-License-Identifier: Apache-2.0
"""aiohttp (asyncio). Arguments: see plan() in tests/support/coverage.py."""
import asyncio
import hashlib
import sys

import aiohttp

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


async def pieces():
    with open(FILE, "rb") as file:
        while piece := file.read(60000):
            yield piece


def content():
    if BODY == "none":
        return None
    if BODY == "small":
        return b"hello world!"
    if BODY == "chunked":
        return pieces()
    with open(FILE, "rb") as file:
        return file.read()


async def one(session, path, number=0):
    method, data = sized(number) if SIZES else (METHOD, content())
    try:
        async with session.request(method, BASE + path, data=data,
                                   expect100=BODY == "expect") as answer:
            data = await answer.read()
    except (aiohttp.ClientError, OSError) as error:
        return "%s error %s" % (path, type(error).__name__)
    return "%s %d %d %s" % (path, answer.status, len(data),
                            hashlib.sha256(data).hexdigest())


async def main():
    paths = [PATH]
    if int(COUNT) > 1:
        paths = ["%s?i=%d" % (PATH, i) for i in range(int(COUNT))]
    connector = aiohttp.TCPConnector(limit=8)
    async with aiohttp.ClientSession(
            connector=connector, headers={"User-Agent": "client"},
            timeout=aiohttp.ClientTimeout(50)) as session:
        if MODE == "parallel":
            lines = await asyncio.gather(*[one(session, p) for p in paths])
        else:
            lines = [await one(session, path, number)
                     for number, path in enumerate(paths)]
    print("\n".join(lines))


asyncio.run(main())
