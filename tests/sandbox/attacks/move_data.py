# Tries to move data past read and write: splice, tee, vmsplice, sendfile, copy_file_range.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import os, platform

read, write = os.pipe()
numbers = {"x86_64": (275, 276, 278, 40, 326), "aarch64": (76, 77, 75, 71, 285)}[platform.machine()]
for number in numbers:
    ctypes.set_errno(0)
    if libc.syscall(number, read, write, 0, 1, 2, 0) >= 0:
        print("ESCAPED", number)
