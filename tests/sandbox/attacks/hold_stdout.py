# Tries to leave a child that holds standard output open, by every call that makes processes.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import os, platform, time

numbers = {"x86_64": (56, 57, 58, 435), "aarch64": (220, 435)}[platform.machine()]
for number in numbers:
    pid = libc.syscall(number, 17, 0, 0, 0, 0)
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    if pid > 0:
        print("ESCAPED", number)
