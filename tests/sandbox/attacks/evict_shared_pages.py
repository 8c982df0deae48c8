# Tries to throw the pages of a library that every run shares out of memory.
import ctypes, os

libc = ctypes.CDLL(None, use_errno=True)
page = ctypes.cast(libc.printf, ctypes.c_void_p).value & ~4095
for advice in (20, 21, 12):
    if libc.madvise(ctypes.c_void_p(page), 4096, advice) == 0:
        print("ESCAPED", advice)
os._exit(0)
