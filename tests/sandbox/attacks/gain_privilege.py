# Tries to run with a path back to privilege: no_new_privs unset, ids changed, capabilities raised.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import os

for attempt in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]), lambda: os.setresuid(0, 0, 0)):
    try:
        attempt()
        print("ESCAPED")
    except OSError as error:
        print(error)
header = ctypes.create_string_buffer(b"\x22\x05\x08\x20" + bytes(4))
if libc.syscall(126, header, ctypes.create_string_buffer(b"\xff" * 24)) == 0:
    print("ESCAPED")
if libc.prctl(38, 0, 0, 0, 0) == 0:
    print("ESCAPED")
