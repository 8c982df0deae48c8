# Tries to take more memory than it may by every way that maps some.
# Family: memory
import ctypes, mmap, os

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mremap.restype = ctypes.c_void_p
libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int]
libc.sbrk.restype = ctypes.c_void_p
failed, size = ctypes.c_void_p(-1).value, 700 << 20
for flags in (0x22, 0x21, 0x4022, 0x8022, 0x40022, 0x102 | 0x20, 0x2022, 0x100022):
    got = libc.mmap(None, size, 3, flags, -1, 0)
    if got != failed:
        print("ESCAPED", hex(flags))
small = libc.mmap(None, 1 << 20, 3, 0x22, -1, 0)
if libc.mremap(small, 1 << 20, size, 1) != failed:
    print("ESCAPED by growth")
libc.sbrk.argtypes = [ctypes.c_long]
if libc.sbrk(size) != failed:
    print("ESCAPED by the heap")
libc.mlockall(3) == 0 and print("ESCAPED: locked")
file = os.open(os.__file__, os.O_RDONLY)
taken = 0
try:
    while taken < 20000:
        mmap.mmap(file, 0, prot=mmap.PROT_READ | mmap.PROT_WRITE, flags=mmap.MAP_PRIVATE).close()
        taken += 1
except OSError as error:
    print(error)
