# Tries to reach kernel parts that often have holes: io_uring, keyctl, bpf, perf, userfaultfd, fanotify.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import platform

rings = (425, 426, 427)
others = {
    "x86_64": (250, 248, 321, 298, 323, 300, 246, 313, 175),
    "aarch64": (219, 217, 280, 241, 282, 262, 104, 273, 105),
}
for number in (*rings, *others[platform.machine()]):
    ctypes.set_errno(0)
    result = libc.syscall(number, 0, 0, 0, 0, 0)
    if result >= 0 or ctypes.get_errno() not in (1, 38):
        print("ESCAPED", number, result, ctypes.get_errno())
