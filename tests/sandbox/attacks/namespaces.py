# Tries to make a user namespace and mount a file system in it.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import os

if libc.unshare(0x10000000 | 0x00020000) == 0 or libc.unshare(0x40000000) == 0:
    print("ESCAPED")
if libc.setns(0, 0) == 0:
    print("ESCAPED")
