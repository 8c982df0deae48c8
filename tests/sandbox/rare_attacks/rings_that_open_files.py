# Tries to open, read, connect and send by io_uring, whose work no filter of calls sees.
# Family: io_uring
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for flags in (0, 1 << 1, 1 << 6, 1 << 12, 1 << 13, (1 << 12) | (1 << 13), 1 << 14, 1 << 16):
    parameters = (ctypes.c_uint32 * 32)()
    parameters[2] = flags
    ring = libc.syscall(425, 8, ctypes.byref(parameters))
    if ring >= 0:
        print("ESCAPED", ring, flags)
for descriptor in range(64):
    ctypes.set_errno(0)
    if libc.syscall(426, descriptor, 1, 1, 0, None, 0) >= 0 or libc.syscall(427, descriptor, 8, None, 0) >= 0 or ctypes.get_errno() not in (1, 38):
        print("ESCAPED by a ring that was there", descriptor)
