# Tries to use system call numbers of another machine (x32), which a careless filter lets through.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import platform

if platform.machine() == "x86_64":
    for number in (0x40000000 + 41, 0x40000000 + 57, 0x40000000 + 2):
        if libc.syscall(number, 2, 1, 0) >= 0:
            print("ESCAPED", hex(number))
