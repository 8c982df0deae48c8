# Tries to leave its session, join another one and steal the terminal's foreground.
# Family: pids
import ctypes, os

for act in (
    lambda: os.setsid(),
    lambda: os.setpgid(0, TARGETS["pid"]),
    lambda: os.setpgid(os.getpid(), os.getppid()),
    lambda: os.setpgid(TARGETS["pid"], 0),
    lambda: os.tcsetpgrp(0, os.getpid()),
    lambda: os.setuid(0) if os.getuid() else 1 / 0,
    lambda: os.setresuid(0, 0, 0) if os.getuid() else 1 / 0,
    lambda: os.setgroups([0]),
    lambda: os.setregid(0, 0) if os.getgid() else 1 / 0,
    lambda: os.waitpid(-1, os.WNOHANG),
    lambda: os.waitid(os.P_ALL, 0, os.WNOHANG | os.WEXITED),
):
    try:
        print("ESCAPED", act())
    except (OSError, ZeroDivisionError) as error:
        print(error)
