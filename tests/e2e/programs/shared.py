# SPDX-License-Identifier: Apache-2.0
"""shared.py HOST:PORT HOW: one connection, several threads or processes."""
import array
import os
import socket
import sys
import threading

HOST, _, PORT = sys.argv[1].rpartition(":")


def get(number):
    return b"GET /x%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number


def connect():
    return socket.create_connection((HOST, int(PORT)))


def answer(sock):
    text = b""
    while len(text) < 40:
        text += sock.recv(40 - len(text))
    assert text.startswith(b"HTTP/1.1 200"), text


def ask(sock, number):
    sock.sendall(get(number))
    answer(sock)


def in_child(function):
    """Returns when the child has ended well."""
    pid = os.fork()
    if pid == 0:
        function()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


def threads():
    """Two threads take turns, each with its own number."""
    socks = [connect()]
    socks.append(socks[0].dup())
    turns = [threading.Semaphore(1), threading.Semaphore(0)]

    def run(me):
        for number in range(me, 40, 2):
            turns[me].acquire()
            ask(socks[me], number)
            turns[not me].release()
    both = [threading.Thread(target=run, args=(me,)) for me in (0, 1)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()


def processes():
    """Parent and child take turns."""
    sock = connect()
    ours, theirs = socket.socketpair()
    ask(sock, 0)
    if pid := os.fork():
        for number in range(1, 20, 2):
            ask(sock, number)
            ours.send(b"x")
            ours.recv(1)
        ours.close()
        assert os.waitpid(pid, 0)[1] == 0
        return
    for number in range(2, 20, 2):
        theirs.recv(1)
        ask(sock, number)
        theirs.send(b"x")
    theirs.recv(1)
    theirs.send(b"x")
    os._exit(0)


def passed_and_back():
    """A process that was there before gets it, and then the first again."""
    ours, theirs = socket.socketpair()
    if pid := os.fork():
        theirs.close()
        sock = connect()
        ask(sock, 0)
        ask(sock, 1)
        ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                               array.array("i", [sock.fileno()]))])
        ours.recv(1)
        ask(sock, 4)
        ask(sock, 5)
        assert os.waitpid(pid, 0)[1] == 0
        return
    _, control, _, _ = theirs.recvmsg(9, socket.CMSG_SPACE(4))
    sock = socket.socket(fileno=array.array("i", control[0][2])[0])
    ask(sock, 2)
    ask(sock, 3)
    theirs.send(b"x")
    os._exit(0)


def head_finished_by_child():
    sock = connect()
    ask(sock, 1)
    sock.sendall(get(2)[:20])

    def child():
        sock.sendall(get(2)[20:])
        answer(sock)
    in_child(child)


def head_finished_by_parent():
    sock = connect()
    ask(sock, 1)
    sock.sendall(get(2)[:20])
    in_child(lambda: None)
    sock.sendall(get(2)[20:])
    answer(sock)


def body_finished_by_child():
    """The request is the parent's, its answer is read by the child."""
    sock = connect()
    sock.sendall(b"POST /x1 HTTP/1.1\r\nHost: localhost\r\n"
                 b"Content-Length: 36\r\n\r\n")

    def child():
        sock.sendall(get(9)[:36])
        answer(sock)
        other = connect()
        ask(other, 2)
    in_child(child)


globals()[sys.argv[2]]()
