# Tries to hold more kernel objects for events than descriptors are allowed.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
made = 0
for _ in range(300):
    made += libc.eventfd(0, 0) >= 0
if made > 64:
    print("ESCAPED", made)
