# Tries to hold kernel memory in pipes made as large as they may be.
import fcntl, os

held, ends = 0, []
try:
    for _ in range(28):
        read, write = os.pipe()
        ends += [read, write]
        try:
            fcntl.fcntl(write, 1031, 1 << 20)
        except OSError:
            pass
        os.set_blocking(write, False)
        try:
            while True:
                held += os.write(write, bytes(65536))
        except BlockingIOError:
            pass
except OSError as error:
    print(error)
if held > 40_000_000:
    print("ESCAPED", held)
