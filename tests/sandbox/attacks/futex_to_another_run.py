# Tries to wake a run that waits on a page of a shared library, as a signal to it.
import ctypes, os, platform

if platform.machine() != "x86_64":
    os._exit(0)
libc = ctypes.CDLL(None, use_errno=True)
page = ctypes.cast(libc.printf, ctypes.c_void_p).value & ~3
FUTEX, WAKE, WAKE_BITSET, REQUEUE, LOCK_PI = 202, 1, 10, 4, 6
for operation in (WAKE, WAKE_BITSET, REQUEUE, LOCK_PI, LOCK_PI | 128, 3, 5, 7, 8, 11, 12, 13):
    if libc.syscall(FUTEX, ctypes.c_void_p(page), operation, 1, None, None, -1) >= 0:
        print("ESCAPED", operation)
os._exit(0)
