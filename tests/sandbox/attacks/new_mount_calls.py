# Tries to mount by the newer calls: fsopen, open_tree, move_mount.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for number in (428, 429, 430, 431, 432, 442):
    if libc.syscall(number, 0, b"tmpfs", 0, 0, 0) >= 0:
        print("ESCAPED", number)
