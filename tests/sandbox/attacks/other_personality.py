# Tries to switch off the random layout of memory, or to make data executable.
import ctypes
import platform

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 135, "aarch64": 92}[platform.machine()]
for wanted in (0x0040000, 0x0400000, 0x0100000, 0x8000000, 0xFFFFFFFF):
    if libc.syscall(number, wanted) >= 0:
        print("ESCAPED", hex(wanted))
