# Tries to aim timers, lost parents, asynchronous input and locks at other processes.
# Family: signals to others
import ctypes, fcntl, os, platform, socket

libc = ctypes.CDLL(None, use_errno=True)
create = {"x86_64": 222, "aarch64": 107}[platform.machine()]
event = ctypes.create_string_buffer(64)
timer = ctypes.c_int(0)
for how, tid in ((4, TARGETS["pid"]), (4, os.getppid()), (4, 1)):
    ctypes.memmove(event, (ctypes.c_int * 4)(0, 0, 18, how), 16)
    ctypes.memmove(ctypes.addressof(event) + 16, ctypes.byref(ctypes.c_int(tid)), 4)
    if libc.syscall(create, 1, event, ctypes.byref(timer)) == 0:
        print("ESCAPED: a timer for", tid)
one, two = socket.socketpair()
for owner in (TARGETS["pid"], -TARGETS["pid"], os.getppid(), 1, -1):
    for descriptor in (one.fileno(), 0, 1, 3):
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETOWN, owner)
            print("ESCAPED: owner", owner)
        except OSError:
            pass
    try:
        fcntl.ioctl(one, 0x8901, (ctypes.c_int * 1)(owner))
        print("ESCAPED: owner by ioctl")
    except OSError:
        pass
