# Tries to leave a message queue in the kernel.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
if libc.mq_open(b"/study", os.O_CREAT | os.O_RDWR, 0o600, None) >= 0:
    print("ESCAPED")
