# Tries to let the kernel work for the run by asynchronous input.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
context = ctypes.c_ulong(0)
import platform

number = {"x86_64": 206, "aarch64": 0}[platform.machine()]
if libc.syscall(number, 128, ctypes.byref(context)) == 0:
    print("ESCAPED")
