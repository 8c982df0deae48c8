# Tries to write into the pages of a library that all runs share: by a mapping, by /proc/self/mem and by advice.
import ctypes, json, mmap, os

libc = ctypes.CDLL(None, use_errno=True)
path = json.__file__
before = open(path, "rb").read()
descriptor = os.open(path, os.O_RDONLY)
for flags, protection in ((mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE), (mmap.MAP_SHARED | 0x80000, mmap.PROT_WRITE)):
    try:
        mmap.mmap(descriptor, 4096, flags, protection)
        print("ESCAPED by a mapping")
    except (OSError, ValueError) as error:
        print(error)
shared = mmap.mmap(descriptor, 4096, mmap.MAP_SHARED, mmap.PROT_READ)
libc.mmap.restype = ctypes.c_void_p
address = libc.mmap(None, ctypes.c_size_t(4096), mmap.PROT_READ, mmap.MAP_SHARED, descriptor, ctypes.c_size_t(0))
if address not in (None, 2**64 - 1):
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), 3) == 0:
        print("ESCAPED by protection")
    if libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(4096), 23) == 0:
        print("ESCAPED by advice")
    try:
        memory = os.open("/proc/self/mem", os.O_RDWR)
        os.pwrite(memory, b"#", address)
    except OSError as error:
        print(error)
if open(path, "rb").read() != before:
    print("ESCAPED: the library is another")
for opening in (os.O_RDWR, os.O_WRONLY | os.O_APPEND, os.O_RDONLY | os.O_TRUNC):
    try:
        os.open(path, opening)
        print("ESCAPED by opening")
    except OSError as error:
        print(error)
