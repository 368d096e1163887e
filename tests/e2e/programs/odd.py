# SPDX-License-Identifier: Apache-2.0
"""odd.py HOST:PORT HOW FILE: HTTP by unusual calls. FILE is a 3 MB upload."""
import array
import hashlib
import os
import socket
import sys
import threading

AUTHORITY, HOW, FILE = sys.argv[1:4]
HOST, _, PORT = AUTHORITY.rpartition(":")
ADDRESS = (HOST, int(PORT))
SIZE = os.path.getsize(FILE)


def head(target="/ok", method="GET", length=None, close=False):
    text = "%s %s HTTP/1.1\r\nHost: %s\r\n" % (method, target, AUTHORITY)
    if length is not None:
        text += "Content-Length: %d\r\n" % length
    if close:
        text += "Connection: close\r\n"
    return (text + "\r\n").encode()


def connect():
    return socket.create_connection(ADDRESS)


def complete(text):
    """Is this a whole answer (or two)? Only Content-Length is known."""
    front, mark, rest = text.partition(b"\r\n\r\n")
    if not mark or b"Content-Length: " not in front:
        return False
    length = int(front.split(b"Content-Length: ")[1].split(b"\r")[0])
    return len(rest) >= length


def answer(sock, receive=None):
    receive = receive or (lambda: sock.recv(65536))
    text = b""
    while not complete(text):
        piece = receive()
        if not piece:
            break
        text += piece
    print(len(text), hashlib.sha256(text).hexdigest(), text[:60])
    return text


def sendfile():
    """Head by send, body by sendfile, twice on one connection."""
    sock = connect()
    for _ in range(2):
        sock.sendall(head(method="POST", length=SIZE))
        with open(FILE, "rb") as file:
            at = 0
            while at < SIZE:
                at += os.sendfile(sock.fileno(), file.fileno(), at, SIZE - at)
        answer(sock)


def splice():
    """The body goes file - pipe - socket and is never in user memory."""
    sock = connect()
    for _ in range(2):
        sock.sendall(head(method="POST", length=SIZE))
        reader, writer = os.pipe()
        file = os.open(FILE, os.O_RDONLY)
        left = SIZE
        while left:
            count = os.splice(file, writer, min(left, 60000))
            left -= count
            while count:
                count -= os.splice(reader, sock.fileno(), count)
        answer(sock)


def splice_in():
    """The answer goes to a pipe unseen."""
    sock = connect()
    sock.sendall(head("/big?bytes=50000", close=True))
    reader, writer = os.pipe()
    total = hashlib.sha256()
    while os.splice(sock.fileno(), writer, 65536):
        total.update(os.read(reader, 65536))
    print(total.hexdigest())


def duplicates():
    """Requests over one number, answers over another."""
    sock = connect()
    other = socket.socket(fileno=os.dup(sock.fileno()))
    third = os.dup2(sock.fileno(), 100)
    for number in range(6):
        data = head("/ok?i=%d" % number)
        if number % 3 == 0:
            sock.sendall(data)
        elif number % 3 == 1:
            other.sendall(data)
        else:
            os.write(third, data)
        answer(other if number % 2 else sock)
    sock.close()
    other.sendall(head("/ok?i=last"))
    answer(other)


def more():
    """MSG_MORE holds the head back until the body comes."""
    sock = connect()
    for _ in range(3):
        sock.send(head(method="POST", length=5)[:-2], socket.MSG_MORE)
        sock.send(b"\r\n", socket.MSG_MORE)
        sock.send(b"hello")
        answer(sock)


def peeks():
    """Looks at everything before it takes it."""
    sock = connect()
    for number in range(3):
        sock.sendall(head("/big?bytes=%d" % (3000 * number)))

        def receive():
            seen = sock.recv(2000, socket.MSG_PEEK)
            return sock.recv(len(seen))
        answer(sock, receive)


def discards():
    """Throws the body away with MSG_TRUNC, unseen."""
    sock = connect()
    for number in range(3):
        sock.sendall(head("/big?bytes=20000"))
        text = b""
        while b"\r\n\r\n" not in text:
            text += sock.recv(1)
        left = 20000
        while left:
            left -= sock.recv_into(bytearray(left), left, socket.MSG_TRUNC)
        print(text)


def vectors():
    """readv and recvmsg into small pieces."""
    sock = connect()
    for number in range(4):
        sock.sendall(head("/big?bytes=9000"))
        buffers = [bytearray(n) for n in (1, 7, 100, 3000)]

        def receive():
            if number % 2:
                count = sock.recvmsg_into(buffers)[0]
            else:
                count = os.readv(sock.fileno(), buffers)
            return b"".join(buffers)[:count]
        answer(sock, receive)


def byte_by_byte():
    """Every byte of a head in a call of its own, one byte read a call."""
    sock = connect()
    for _ in range(2):
        for byte in head():
            sock.send(bytes([byte]))
        answer(sock, lambda: sock.recv(1))


def fast_open():
    """sendto with MSG_FASTOPEN instead of connect (where allowed)."""
    sock = socket.socket()
    data = head()
    try:
        count = sock.sendto(data, 0x20000000, ADDRESS)
    except OSError:
        sock = connect()
        count = 0
    sock.sendall(data[count:])
    answer(sock)


def half_close():
    sock = connect()
    sock.sendall(head())
    sock.shutdown(socket.SHUT_WR)
    answer(sock)
    print(sock.recv(1))


def inherited():
    """The parent connects, a program that it executes speaks."""
    sock = connect()
    sock.set_inheritable(True)
    os.execv("/bin/sh", ["sh", "-c", "exec /usr/bin/python3 -S -c \"import os;"
                         "os.write(%d, b'GET /ok HTTP/1.1\\\\r\\\\nHost: %s"
                         "\\\\r\\\\n\\\\r\\\\n');print(os.read(%d, 4000))\""
                         % (sock.fileno(), AUTHORITY, sock.fileno())])


def passed():
    """A connection received by SCM_RIGHTS."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        _, control, _, _ = theirs.recvmsg(9, socket.CMSG_SPACE(4))
        sock = socket.socket(
            fileno=array.array("i", control[0][2])[0])
        sock.sendall(head("/ok?who=child"))
        answer(sock)
        sys.stdout.flush()
        os._exit(0)
    sock = connect()
    ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                           array.array("i", [sock.fileno()]))])
    os.waitpid(child, 0)


def reused_numbers():
    """The same number is a file, a connection, a pipe, a connection."""
    for number in range(8):
        descriptor = os.open(FILE, os.O_RDONLY)
        os.read(descriptor, 10)
        os.close(descriptor)
        sock = connect()
        assert sock.fileno() == descriptor
        sock.sendall(head("/ok?i=%d" % number))
        answer(sock)
        sock.close()
        reader, writer = os.pipe()
        os.write(writer, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        print(os.read(reader, 100))
        os.close(reader)
        os.close(writer)


def two_threads():
    """One thread writes, another reads, nobody waits."""
    sock = connect()
    count = 300

    def write():
        for number in range(count):
            slots.acquire()
            sock.sendall(head("/ok?i=%d" % number))
    slots = threading.Semaphore(8)
    thread = threading.Thread(target=write)
    thread.start()
    text, done = b"", 0
    while done < count:
        text += sock.recv(65536)
        while complete(text):
            front, _, rest = text.partition(b"\r\n\r\n")
            length = int(front.split(b"Content-Length: ")[1].split(b"\r")[0])
            text, done = rest[length:], done + 1
            slots.release()
    thread.join()
    print(done, text)


def split_between_threads():
    """A head's halves come from two threads, one after the other."""
    sock = connect()
    for number in range(20):
        data = head("/ok?i=%d" % number)
        for half in (data[:20], data[20:]):
            thread = threading.Thread(target=sock.sendall, args=(half,))
            thread.start()
            thread.join()
        answer(sock)


def alternate_forks():
    """Twenty children at once, ten requests each."""
    children = []
    for child in range(20):
        pid = os.fork()
        if pid == 0:
            sock = connect()
            for number in range(10):
                sock.sendall(head("/ok?c=%d&i=%d" % (child, number)))
                while not complete(sock.recv(65536)):
                    pass
            os._exit(0)
        children.append(pid)
    print([os.waitpid(pid, 0)[1] for pid in children])


def many_connections():
    """Eight hundred connections open at once."""
    socks = [connect() for _ in range(800)]
    for number, sock in enumerate(socks):
        sock.sendall(head("/ok?i=%d" % number))
    for sock in socks:
        answer(sock)


globals()[HOW]()
