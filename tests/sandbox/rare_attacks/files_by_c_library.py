# Tries to read by the C library: streams, folders, accounts, shared objects, memory maps.
# Family: files
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
for name in ("fopen", "opendir", "getpwnam", "getspnam", "getgrnam", "setmntent", "catopen"):
    if hasattr(libc, name):
        getattr(libc, name).restype = ctypes.c_void_p
path, folder = TARGETS["secrets"].encode(), TARGETS["folder"].encode()
if libc.fopen(path, b"r") or libc.fopen(path, b"re") or libc.fopen(b"/etc/shadow", b"r"):
    print("ESCAPED by fopen")
if libc.opendir(folder) or libc.opendir(b"/proc/self/fd"):
    print("ESCAPED by opendir")
if libc.getspnam(b"root") or libc.setmntent(b"/proc/mounts", b"r"):
    print("ESCAPED by accounts")
try:
    ctypes.CDLL(TARGETS["secrets"])
    print("ESCAPED by dlopen")
except OSError as error:
    if "invalid ELF header" in str(error) or "file too short" in str(error):
        print("ESCAPED: the loader read it")
