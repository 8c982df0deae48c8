# Tries to talk to other runs through shared memory, System V or POSIX.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import os, platform
from multiprocessing import shared_memory

try:
    shared_memory.SharedMemory("evil", create=True, size=100)
    print("ESCAPED")
except OSError as error:
    print(error)
for number in {"x86_64": (29, 64, 68, 240), "aarch64": (194, 190, 186, 180)}[platform.machine()]:
    if libc.syscall(number, 4242, 1000, 0o1666) >= 0:
        print("ESCAPED", number)
