# Tries to hold kernel memory in socket buffers, which no limit on address space counts.
import os, socket

held = 0
pairs = []
try:
    for _ in range(28):
        one, two = socket.socketpair()
        pairs.append((one, two))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
        one.setblocking(False)
        try:
            while True:
                held += one.send(bytes(65536))
        except BlockingIOError:
            pass
except OSError as error:
    print(error)
if held > 40_000_000:
    print("ESCAPED", held)
os._exit(0)
