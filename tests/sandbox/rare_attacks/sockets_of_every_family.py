# Tries to make a socket of each family and kind that the kernel has.
# Family: sockets
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for family in range(64):
    for kind in range(1, 11):
        for protocol in (0, 6, 17, 132, 255, 262):
            if libc.socket(family, kind, protocol) >= 0:
                print("ESCAPED", family, kind, protocol)
