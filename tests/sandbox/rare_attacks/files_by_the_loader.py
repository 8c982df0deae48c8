# Tries to learn what is in files from what the loader says of libraries that they are not.
# Family: files
import ctypes

libc = ctypes.CDLL(None)
libc.dlopen.restype = libc.dlmopen.restype = ctypes.c_void_p
libc.dlerror.restype = ctypes.c_char_p
for name in ("database", "secrets", "submission", "pack"):
    path = TARGETS[name].encode() + (b"/solution.py" if name == "pack" else b"")
    for load in (lambda: libc.dlopen(path, 2), lambda: libc.dlmopen(ctypes.c_long(-1), path, 2)):
        loaded, said = load(), libc.dlerror() or b""
        if loaded or b"too short" in said or b"invalid ELF" in said:
            print("ESCAPED", name, said)
