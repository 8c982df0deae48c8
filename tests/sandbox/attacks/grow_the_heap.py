# Tries to grow the heap beyond the limit by brk and mremap.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.sbrk.restype = ctypes.c_void_p
libc.sbrk.argtypes = [ctypes.c_ssize_t]
grown = 0
while grown < 64 and libc.sbrk(1 << 24) not in (None, ctypes.c_void_p(-1).value):
    grown += 1
if grown >= 32:
    print("ESCAPED", grown * 16, "MB")
