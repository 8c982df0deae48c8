# Tries to make a process by clone with each flag alone, and with each kind of namespace.
# Family: user namespaces
import ctypes, os, platform, signal

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 56, "aarch64": 220}[platform.machine()]
THREAD = 0x10000
for bit in range(8, 32):
    flags = 1 << bit
    if flags & THREAD or flags in (0x100, 0x4000):
        continue
    got = libc.syscall(number, flags | signal.SIGCHLD, None, None, None, None)
    if got == 0:
        os._exit(0)
    if got > 0:
        print("ESCAPED", hex(flags))
for new in (0x10000000, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x20000000, 0x40000000, 0x80):
    for how in ((lambda: libc.unshare(new)), (lambda: libc.syscall({"x86_64": 272, "aarch64": 97}[platform.machine()], ctypes.c_long(new | (1 << 40))))):
        if how() == 0:
            print("ESCAPED: a namespace", hex(new))
