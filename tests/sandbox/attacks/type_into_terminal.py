# Tries to push characters into the controlling terminal.
import fcntl, termios

for descriptor in (0, 1, 2):
    for code in (termios.TIOCSTI, 0x540E, 0x541C):
        try:
            fcntl.ioctl(descriptor, code, b"x")
            print("ESCAPED")
        except OSError as error:
            print(error)
try:
    open("/dev/tty", "w").write("evil")
    print("ESCAPED")
except OSError as error:
    print(error)
