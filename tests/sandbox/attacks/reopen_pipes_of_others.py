# Tries to open the pipes of other runs through /proc, which no rule about files covers.
import os

for pid in [*range(1, 100), *range(TARGETS["pid"] - 100, TARGETS["pid"] + 500)]:
    for number in range(6) if pid != os.getpid() else ():
        try:
            print("ESCAPED", pid, number, os.open(f"/proc/{pid}/fd/{number}", os.O_RDONLY | os.O_NONBLOCK))
        except OSError:
            pass
