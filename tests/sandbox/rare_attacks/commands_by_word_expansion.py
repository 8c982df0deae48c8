# Tries to have the C library expand words, which starts a shell, and walk folders for it.
# Family: commands by libraries
import ctypes, os

libc = ctypes.CDLL(None, use_errno=True)


class Words(ctypes.Structure):
    _fields_ = [("count", ctypes.c_size_t), ("words", ctypes.POINTER(ctypes.c_char_p)), ("skip", ctypes.c_size_t), ("more", ctypes.c_char * 100)]


for text in (b"$(echo evil)", b"`id`", b"$(cat " + TARGETS["secrets"].encode() + b")", b"~root/*", TARGETS["folder"].encode() + b"/*"):
    found = Words()
    if libc.wordexp(text, ctypes.byref(found), 0) == 0:
        words = [found.words[n] for n in range(min(found.count, 5))]
        if b"evil" in words or any(b"uid=" in word or b"study.db" in word or TARGETS["secret"].encode() in word for word in words):
            print("ESCAPED", words)
glob = Words()
if libc.glob(TARGETS["folder"].encode() + b"/*", 0, None, ctypes.byref(glob)) == 0:
    print("ESCAPED by glob", glob.count)
