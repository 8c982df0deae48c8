# Tries to join the process group and the session of the app, where its signals and its terminal are.
import os

for act in (
    lambda: os.setpgid(0, os.getpgid(TARGETS["pid"])),
    lambda: os.setpgid(TARGETS["pid"], 0),
    lambda: os.setpgid(os.getppid(), 0),
    lambda: os.tcsetpgrp(0, os.getpid()),
    lambda: os.killpg(0, 0),
    lambda: os.kill(-1, 0),
    lambda: os.kill(0, 0),
):
    try:
        act()
        print("ESCAPED")
    except OSError as error:
        print(error)
