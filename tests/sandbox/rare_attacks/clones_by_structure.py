# Tries to make processes and join cgroups by clone3, whose flags a filter cannot see.
# Family: user namespaces
import ctypes, os

libc = ctypes.CDLL(None, use_errno=True)
for flags in (0, 0x10000000, 0x1000, 0x200000000, 0x100000000, 0x7E020000):
    for size in (64, 80, 88):
        arguments = (ctypes.c_uint64 * 11)()
        arguments[0], arguments[4] = flags, 17
        got = libc.syscall(435, ctypes.byref(arguments), size)
        if got == 0:
            os._exit(0)
        if got > 0:
            print("ESCAPED", hex(flags), size)
