# Tries to be traced by the process that it comes from, so that this one waits for it at every signal.
import ctypes
import os
import platform
import signal

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 101, "aarch64": 117}[platform.machine()]
if libc.syscall(number, 0, 0, 0, 0) >= 0:
    print("ESCAPED", flush=True)
    os.kill(os.getpid(), signal.SIGTRAP)
