# Tries to start commands by functions of the C library that do it in passing.
# Family: execution from memory
import ctypes, os

libc = ctypes.CDLL(None, use_errno=True)
libc.popen.restype = ctypes.c_void_p
words = (ctypes.c_size_t * 8)()
if libc.system(b"true") == 0:
    print("ESCAPED by system")
if libc.popen(b"true", b"r"):
    print("ESCAPED by popen")
if libc.wordexp(b"$(echo x)", ctypes.byref(words), 0) == 0:
    print("ESCAPED by wordexp")
pid = ctypes.c_int(0)
if libc.posix_spawn(ctypes.byref(pid), b"/bin/true", None, None, (ctypes.c_char_p * 2)(b"true", None), None) == 0:
    print("ESCAPED by posix_spawn")
for act in (lambda: os.posix_spawnp("true", ["true"], {}), lambda: os.spawnv(os.P_NOWAIT, "/bin/true", ["true"]), lambda: os.forkpty(), lambda: os.popen("true").read() and 1 / 0):
    try:
        got = act()
        if got not in (127, ""):
            print("ESCAPED", got)
    except Exception as error:
        print(error)
