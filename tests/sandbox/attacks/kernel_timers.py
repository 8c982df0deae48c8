# Tries to arm many kernel timers.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
made = 0
for _ in range(2000):
    timer = ctypes.c_void_p()
    made += libc.timer_create(1, None, ctypes.byref(timer)) == 0
if made > 300:
    print("ESCAPED", made)
