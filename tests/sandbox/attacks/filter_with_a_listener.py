# Tries to put a filter of its own before the one that holds it, and to answer calls itself.
import ctypes
import platform
import struct

libc = ctypes.CDLL(None, use_errno=True)
allow = ctypes.create_string_buffer(struct.pack("<HBBI", 6, 0, 0, 0x7FFF0000))
program = ctypes.create_string_buffer(struct.pack("<H6xQ", 1, ctypes.addressof(allow)))
number = {"x86_64": 317, "aarch64": 277}[platform.machine()]
for result in (
    libc.syscall(number, 1, 8, ctypes.addressof(program)),
    libc.syscall(number, 1, 1, ctypes.addressof(program)),
    libc.syscall(number, 2, 0, 0),
    libc.prctl(22, 2, ctypes.addressof(program), 0, 0),
    libc.prctl(4, 1, 0, 0, 0),
    libc.prctl(1, 0, 0, 0, 0),
    libc.prctl(36, 1, 0, 0, 0),
    libc.prctl(0x59616D61, -1, 0, 0, 0),
):
    if result >= 0:
        print("ESCAPED", result)
