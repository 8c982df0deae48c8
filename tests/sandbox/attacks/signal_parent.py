# Tries to signal the fork server, its group, and everybody.
import os, signal

for attempt in (
    lambda: os.kill(os.getppid(), 0),
    lambda: os.kill(-1, 0),
    lambda: os.kill(0, 0),
    lambda: os.killpg(os.getpgid(os.getppid()), 0),
    lambda: os.kill(-os.getppid(), 0),
    lambda: os.kill(1, 0),
):
    try:
        attempt()
        print("ESCAPED")
    except OSError as error:
        print(error)
