# Tries to interrupt every processor of the machine again and again by memory barriers.
import ctypes, platform

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 324, "aarch64": 283}[platform.machine()]
for command in (1 << 1, 1 << 2, 1 << 0):
    done = sum(libc.syscall(number, command, 0, 0) == 0 for _ in range(200))
    if done > 100:
        print("ESCAPED", command, done)
