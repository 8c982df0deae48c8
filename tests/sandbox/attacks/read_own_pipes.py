# Tries to read back its own output pipes, and grow them.
import fcntl, os

for number in (1, 2, 3):
    for attempt in (
        lambda: os.read(number, 10),
        lambda: fcntl.fcntl(number, 1031, 1 << 20),
        lambda: os.open(f"/proc/self/fd/{number}", os.O_RDWR),
    ):
        try:
            attempt()
            print("ESCAPED")
        except OSError as error:
            print(error)
