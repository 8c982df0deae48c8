# Tries to fill memory through memory files, which no address space limit counts.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import os

try:
    fd = os.memfd_create("x")
except OSError:
    fd = libc.syscall(319, b"x", 0)
if fd >= 0:
    print("ESCAPED", os.write(fd, b"x" * 1000))
