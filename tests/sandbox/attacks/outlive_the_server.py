# Tries to reset the signal that ends it with the fork server, and become a subreaper.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for option, value in ((1, 0), (36, 1), (4, 1), (0x59616D61, -1)):
    if libc.prctl(option, value, 0, 0, 0) == 0:
        print("ESCAPED", option)
