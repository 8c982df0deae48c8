# Tries to send from a stream pair to a named socket, and reconnect it.
import socket

one, other = socket.socketpair()
for attempt in (lambda: one.sendto(b"evil", TARGETS["unix_datagram"]), lambda: one.connect(TARGETS["unix"])):
    try:
        attempt()
        print("ESCAPED")
    except OSError as error:
        print(error)
