# Tries to pin memory so that the kernel cannot move it out.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
block = ctypes.create_string_buffer(1 << 24)
if libc.mlock(block, 1 << 24) == 0 or libc.mlockall(3) == 0:
    print("ESCAPED")
