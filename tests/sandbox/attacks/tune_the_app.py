# Tries to change how the app's process is treated: its disk priority, memory advice, placement, release, reaping, tracing.
import ctypes, os, platform

libc = ctypes.CDLL(None, use_errno=True)
machine = platform.machine()
ioprio_set, migrate_pages, move_pages = {"x86_64": (251, 256, 279), "aarch64": (30, 238, 239)}[machine]
process_madvise, process_mrelease, pidfd_open, pidfd_send = 440, 448, 434, 424
for pid in (TARGETS["pid"], os.getppid()):
    masks = (ctypes.c_ulong * 2)(1, 0)
    places = (ctypes.c_void_p * 1)(0)
    state = (ctypes.c_int * 1)(0)
    for name, result in (
        ("ioprio_set", libc.syscall(ioprio_set, 1, pid, 3 << 13)),
        ("migrate_pages", libc.syscall(migrate_pages, pid, 64, masks, masks)),
        ("move_pages", libc.syscall(move_pages, pid, 1, places, None, state, 0)),
        ("setpgid", libc.setpgid(pid, pid)),
        ("getpriority", -1 if libc.syscall(ioprio_set + 1, 1, pid) < 0 else 0),
    ):
        if result >= 0:
            print("ESCAPED", name, pid)
    descriptor = libc.syscall(pidfd_open, pid, 0)
    if descriptor >= 0:
        for name, result in (("madvise", libc.syscall(process_madvise, descriptor, places, 1, 4, 0)), ("mrelease", libc.syscall(process_mrelease, descriptor, 0)), ("signal", libc.syscall(pidfd_send, descriptor, 0, None, 0))):
            if result >= 0:
                print("ESCAPED", name, pid)
