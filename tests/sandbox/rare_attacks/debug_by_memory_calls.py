# Tries to read and write the memory of the server and its siblings by the calls made for it.
# Family: ptrace
import ctypes, os, platform

libc = ctypes.CDLL(None, use_errno=True)
read, write, compare, advise, move = {"x86_64": (310, 311, 312, 440, 279), "aarch64": (270, 271, 272, 440, 239)}[platform.machine()]
here = ctypes.create_string_buffer(64)
mine = (ctypes.c_size_t * 2)(ctypes.addressof(here), 64)
theirs = (ctypes.c_size_t * 2)(id(os) & ~4095, 64)
for pid in {TARGETS["pid"], os.getppid(), os.getpid() - 1, os.getpid() + 1}:
    for number in (read, write):
        if libc.syscall(number, pid, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0) > 0:
            print("ESCAPED", number, pid)
    if libc.syscall(compare, os.getpid(), pid, 0, 0, 0) >= 0:
        print("ESCAPED: compared", pid)
    if libc.syscall(move, pid, 1, ctypes.byref(theirs), None, ctypes.byref(here), 0) >= 0:
        print("ESCAPED: moved", pid)
