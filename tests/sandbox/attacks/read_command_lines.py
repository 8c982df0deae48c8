# Tries to see the command lines of other processes.
import os

for entry in [*os.listdir("/proc"), str(TARGETS["pid"]), "1"]:
    try:
        print("ESCAPED", open(f"/proc/{entry}/cmdline").read())
    except OSError:
        pass
