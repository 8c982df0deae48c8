# Tries to hold the kernel's memory by pipes, pairs, polls and queued signals, beyond a few megabytes.
# Family: memory
import ctypes, fcntl, os, select, signal, socket

held = 0
ends = []
try:
    while True:
        one, two = socket.socketpair()
        for end in (one, two):
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF, 32, 33):
                try:
                    end.setsockopt(socket.SOL_SOCKET, option, 1 << 28)
                except OSError:
                    pass
            end.setblocking(False)
            try:
                while True:
                    held += end.send(b"x" * 65536)
            except OSError:
                pass
        ends += [one, two]
except OSError as error:
    print(error)
try:
    read, write = os.pipe()
    held += fcntl.fcntl(write, 1031, 1 << 26)
except OSError as error:
    print(error)
print(held >> 20, "MB")
if held > 48 << 20:
    print("ESCAPED", held)
