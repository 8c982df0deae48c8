# Tries to push out, and to move, the memory of other processes.
import ctypes
import platform

libc = ctypes.CDLL(None, use_errno=True)
migrate, move = {"x86_64": (256, 279), "aarch64": (238, 239)}[platform.machine()]
for number, values in (
    (440, (3, 0, 0, 21, 0)),
    (448, (3, 0)),
    (450, (0, 4096, 0, 0)),
    (migrate, (TARGETS["pid"], 0, 0, 0)),
    (move, (TARGETS["pid"], 0, 0, 0, 0, 0)),
    (447, (0,)),
):
    ctypes.set_errno(0)
    result = libc.syscall(number, *values)
    if result >= 0 or ctypes.get_errno() not in (1, 38):
        print("ESCAPED", number, result, ctypes.get_errno())
