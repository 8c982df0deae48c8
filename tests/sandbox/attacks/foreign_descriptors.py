# Tries to find descriptors that lead out of the run: sockets, files, other runs' pipes.
import os, stat

for number in range(3, 2048):
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        continue
    if number != 3 or not stat.S_ISFIFO(mode):
        print("ESCAPED", number, oct(mode))
