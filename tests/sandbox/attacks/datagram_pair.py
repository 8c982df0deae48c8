# Tries to make a datagram pair and send from it to a named socket.
import socket

one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
one.sendto(b"evil", TARGETS["unix_datagram"])
print("ESCAPED")
