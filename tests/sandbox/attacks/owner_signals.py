# Tries to have the kernel signal the app: become the owner of a pipe's signals.
import fcntl, os

read, write = os.pipe()
for command, value in ((fcntl.F_SETOWN, TARGETS["pid"]), (10, 9), (15, b"\0" * 8), (fcntl.F_NOTIFY, 1)):
    try:
        fcntl.fcntl(read, command, value)
        print("ESCAPED", command)
    except OSError as error:
        print(error)
