# Tries to get a terminal of its own, which is memory of the kernel and a way to signals.
import os

for act in (os.openpty, lambda: os.open("/dev/ptmx", os.O_RDWR), lambda: os.open("/dev/tty", os.O_RDONLY)):
    try:
        print("ESCAPED", act())
    except OSError as error:
        print(error)
