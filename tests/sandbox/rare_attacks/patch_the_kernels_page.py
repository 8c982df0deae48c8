# Tries to write into the page of code that the kernel gives every process, so that others would read another time.
# Family: memory
import ctypes, os

libc = ctypes.CDLL(None, use_errno=True)
libc.getauxval.restype = ctypes.c_ulong
page = libc.getauxval(33)
if page and libc.mprotect(ctypes.c_void_p(page), 4096, 7) == 0:
    ctypes.memset(page + 0x800, 0xCC, 0x400)
for size in (4096, 8192):
    if page and libc.mprotect(ctypes.c_void_p(page - size), size, 3) == 0:
        try:
            ctypes.memset(page - size, 0, 8)
            print("ESCAPED: the page of the time is writable")
        except BaseException:
            pass
