# Tries to make the kernel keep more maps than it allows, and tables for them.
# Family: memory
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
made = 0
while made < 200_000:
    if libc.mmap(None, 4096, made % 2, 0x22, -1, 0) == ctypes.c_void_p(-1).value:
        break
    made += 1
print(made)
if made > 70_000:
    print("ESCAPED", made)
