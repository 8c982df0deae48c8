# Tries to break the server's reading: streams that do not wait, whole packets, and signals at each write.
import fcntl
import os

for descriptor in range(10):
    for flags in (os.O_NONBLOCK, os.O_NONBLOCK | os.O_DIRECT, os.O_ASYNC | os.O_APPEND, os.O_DIRECT):
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETFL, flags)
        except OSError:
            pass
for _ in range(400):
    try:
        os.write(1, b"x" * 4000 + b"\n")
    except OSError:
        pass
