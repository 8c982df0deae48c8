# Tries to use urgent data on a socket pair, a rarely tested path of the kernel.
import os, socket

one, two = socket.socketpair()
for attempt in (lambda: one.send(b"x", socket.MSG_OOB), lambda: two.recv(1, socket.MSG_OOB | socket.MSG_DONTWAIT)):
    try:
        attempt()
        print("ESCAPED")
    except PermissionError:
        pass
    except OSError as error:
        print("ESCAPED", error)
os._exit(0)
