# SPDX-License-Identifier: Apache-2.0
"""A parent passes descriptors to its child over a UNIX socket (SCM_RIGHTS).

One is a pipe, one a connected TCP socket; both carry text that is no HTTP.
"""
import array
import os
import socket
import sys

listener = socket.create_server(("127.0.0.1", 0))
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
child = os.fork()
if child == 0:
    ours.close()
    for _ in range(2):
        _, control, _, _ = theirs.recvmsg(16, socket.CMSG_SPACE(4))
        descriptor = array.array("i", control[0][2])[0]
        os.write(descriptor, b"from the child %d\n" % len(control))
        os.close(descriptor)
    os._exit(3)
theirs.close()
reader, writer = os.pipe()
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
for descriptor in (writer, client.fileno()):
    ours.sendmsg([b"take"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                              array.array("i", [descriptor]))])
os.close(writer)
client.close()
print(os.read(reader, 100))
print(server.recv(100), server.recv(100))
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status))
sys.exit(0)
