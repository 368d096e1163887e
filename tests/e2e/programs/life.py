# SPDX-License-Identifier: Apache-2.0
"""life.py HOW BASE [MORE]: make requests and end in one of many ways."""
import http.client
import os
import signal
import sys
import threading

how, base = sys.argv[1:3]
more = sys.argv[3:]


def get(path="/ok"):
    connection = http.client.HTTPConnection(base[len("http://"):], timeout=20)
    connection.request("GET", path)
    data = connection.getresponse().read()
    connection.close()
    return len(data)


def exits():
    sys.exit(get() * 0 + 3)


def underscore_exit():
    get()
    os._exit(4)


def execs():
    get("/ok?image=1")
    os.execvp(more[0], more)


def exec_fails():
    get("/ok?image=1")
    try:
        os.execv("/nonexistent/program", ["x"])
    except FileNotFoundError:
        get("/ok?image=still-1")


def kills():
    get()
    os.kill(os.getpid(), signal.SIGKILL)


def raises():
    get()
    raise ValueError("an error of the program's own")


def forks():
    """Parent, child and grandchild each make requests."""
    get("/ok?who=parent-before")
    child = os.fork()
    if child == 0:
        get("/ok?who=child")
        grandchild = os.fork()
        if grandchild == 0:
            get("/ok?who=grandchild")
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(grandchild, 0)
        os._exit(0)
    os.waitpid(child, 0)
    get("/ok?who=parent-after")


def fork_with_open_connection():
    """The child goes on with the connection that the parent has used."""
    connection = http.client.HTTPConnection(base[len("http://"):], timeout=20)
    connection.request("GET", "/ok?who=parent")
    connection.getresponse().read()
    child = os.fork()
    if child == 0:
        connection.request("GET", "/ok?who=child")
        connection.getresponse().read()
        os._exit(0)
    os.waitpid(child, 0)
    get("/ok?who=parent-again")


def threads():
    """The main thread ends by returning while others just have."""
    started = [threading.Thread(target=get, args=("/ok?t=%d" % i,))
               for i in range(10)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()


def unfinished():
    """The answer never comes; the program leaves."""
    connection = http.client.HTTPConnection(base[len("http://"):], timeout=0.3)
    connection.request("GET", "/slow?ms=3000")
    try:
        connection.getresponse()
    except TimeoutError:
        print("no answer yet")
    sys.stdout.flush()


def unread():
    """Leaves with a request under way and no wait for its answer."""
    connection = http.client.HTTPConnection(base[len("http://"):], timeout=9)
    connection.request("GET", "/slow?ms=500")
    globals()["kept"] = connection


def refused():
    try:
        get()
    except ConnectionRefusedError as error:
        print(error)


globals()[how]()
