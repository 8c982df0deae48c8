# Tries to give itself, its group, its user and the app another priority of disk work.
# Family: processor
import ctypes, os, platform

libc = ctypes.CDLL(None, use_errno=True)
give, look = {"x86_64": (251, 252), "aarch64": (30, 31)}[platform.machine()]
for kind, who in ((1, TARGETS["pid"]), (1, os.getppid()), (2, 0), (2, os.getpgrp()), (3, os.getuid()), (3, 0)):
    for priority in (0, 1 << 13, 1 << 13 | 7, 3 << 13):
        if libc.syscall(give, kind, who, priority) == 0:
            print("ESCAPED", kind, who, priority)
