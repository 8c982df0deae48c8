# Tries to take memory that stays after the run.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
found = [libc.shmget(0, 1 << 24, 0o1600), libc.msgget(0, 0o1600), libc.semget(0, 250, 0o1600)]
if max(found) >= 0:
    print("ESCAPED", found)
