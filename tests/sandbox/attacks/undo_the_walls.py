# Tries to replace the filter and the ruleset by looser ones.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import struct

allow = struct.pack("<HBBI", 6, 0, 0, 0x7FFF0000)
code = ctypes.create_string_buffer(allow)
header = ctypes.create_string_buffer(struct.pack("<H6xQ", 1, ctypes.addressof(code)))
for result in (
    libc.prctl(22, 2, header, 0, 0),
    libc.syscall(317, 1, 0, header),
    libc.syscall(444, None, 0, 1),
    libc.syscall(446, 0, 0),
):
    if result >= 0:
        print("ESCAPED")
