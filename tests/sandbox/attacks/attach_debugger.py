# Tries to attach to the app as a debugger.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(0x4206, TARGETS["pid"], 0, 0) == 0 or libc.ptrace(16, TARGETS["pid"], 0, 0) == 0:
    print("ESCAPED")
