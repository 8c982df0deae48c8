# Tries to look into the app and the server by calls that name another process: its locks, pages, descriptors.
# Family: pids
import ctypes, os, platform

libc = ctypes.CDLL(None, use_errno=True)
numbers = {
    "x86_64": {"get_robust_list": 274, "kcmp": 312, "move_pages": 279, "migrate_pages": 256, "sched_getattr": 315, "getpgid": 121, "getsid": 124},
    "aarch64": {"get_robust_list": 100, "kcmp": 272, "move_pages": 239, "migrate_pages": 238, "sched_getattr": 275, "getpgid": 155, "getsid": 156},
}[platform.machine()] | {"pidfd_open": 434, "process_madvise": 440, "process_mrelease": 448}
space = ctypes.create_string_buffer(4096)
for pid in {TARGETS["pid"], os.getppid(), 1} - {0, os.getpid()}:
    calls = {
        "get_robust_list": (pid, space, ctypes.addressof(space) + 64),
        "kcmp": (os.getpid(), pid, 0, 0, 0),
        "move_pages": (pid, 0, None, None, None, 0),
        "migrate_pages": (pid, 64, space, space),
        "pidfd_open": (pid, 0),
        "process_madvise": (pid, space, 1, 4, 0),
        "sched_getattr": (pid, space, 56, 0),
        "process_mrelease": (pid, 0),
    }
    for name, arguments in calls.items():
        ctypes.set_errno(0)
        if libc.syscall(numbers[name], *arguments) >= 0:
            print("ESCAPED", name, pid)
