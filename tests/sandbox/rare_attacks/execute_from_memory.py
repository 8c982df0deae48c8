# Tries to execute a program that is only in memory, or handed over by a descriptor.
# Family: execution from memory
import ctypes, os, platform

libc = ctypes.CDLL(None, use_errno=True)
memfd, secret, at = {"x86_64": (319, 447, 322), "aarch64": (279, 447, 281)}[platform.machine()]
arguments = (ctypes.c_char_p * 3)(b"echo", b"ESCAPED", None)
for flags in range(8):
    got = libc.syscall(memfd, b"x", flags)
    if got >= 0:
        print("ESCAPED: memory file", got)
if libc.syscall(secret, 0) >= 0:
    print("ESCAPED: secret memory")
for path in ("/bin/echo", "/usr/bin/echo", os.__file__, "/lib64/ld-linux-x86-64.so.2"):
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        continue
    libc.fexecve(descriptor, arguments, None)
    libc.syscall(at, descriptor, b"", arguments, None, 0x1000)
libc.syscall(at, -100, b"/lib64/ld-linux-x86-64.so.2", (ctypes.c_char_p * 4)(b"ld", b"/bin/echo", b"ESCAPED", None), None, 0)
