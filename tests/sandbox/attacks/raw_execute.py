# Tries to execute a program by the raw system calls.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import platform

execve, execveat = {"x86_64": (59, 322), "aarch64": (221, 281)}[platform.machine()]
arguments = (ctypes.c_char_p * 2)(b"echo", None)
arguments = (ctypes.c_char_p * 3)(b"echo", b"ESCAPED", None)
libc.syscall(execve, b"/bin/echo", arguments, None)
libc.syscall(execveat, -100, b"/bin/echo", arguments, None, 0)
