# Tries to watch the app's folder and wait for what it does.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import platform

init, add = {"x86_64": (294, 254), "aarch64": (26, 27)}[platform.machine()]
fd = libc.syscall(init, 0)
if fd >= 0 and libc.syscall(add, fd, TARGETS["folder"].encode(), 0xFFF) >= 0:
    print("ESCAPED")
