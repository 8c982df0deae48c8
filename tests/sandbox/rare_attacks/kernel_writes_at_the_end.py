# Tries to have the kernel write into shared library pages when a thread ends: its id's place, its list of locks.
# Family: at exit
import ctypes, platform, threading

libc = ctypes.CDLL(None, use_errno=True)
set_place, set_list = {"x86_64": (218, 273), "aarch64": (96, 99)}[platform.machine()]
text = ctypes.cast(libc.getpid, ctypes.c_void_p).value
before = ctypes.string_at(text, 16)
head = (ctypes.c_long * 3)(text, 0, text)


def end():
    libc.syscall(set_place, ctypes.c_void_p(text))
    libc.syscall(set_list, head, ctypes.sizeof(head))


for _ in range(20):
    thread = threading.Thread(target=end)
    thread.start()
    thread.join(0.2)
if ctypes.string_at(text, 16) != before:
    print("ESCAPED: a page of a library was written")
