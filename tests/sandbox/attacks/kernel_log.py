# Tries to read what the kernel says and knows: its log, its symbols, its modules, what other programs wait for.
import ctypes, os, platform

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 103, "aarch64": 116}[platform.machine()]
room = ctypes.create_string_buffer(4096)
for action in (2, 3, 4, 5, 9, 10):
    if libc.syscall(number, action, room, 4096) >= 0:
        print("ESCAPED by call", action)
for path in ("/proc/kmsg", "/dev/kmsg", "/proc/kallsyms", "/proc/modules", "/proc/kcore", "/proc/locks", "/proc/net/unix", "/proc/sched_debug", "/proc/timer_list", "/proc/interrupts", "/proc/mounts", "/proc/loadavg", "/sys/kernel/notes", "/boot", f"/proc/{TARGETS['pid']}/stack", f"/proc/{TARGETS['pid']}/wchan"):
    try:
        if os.path.isdir(path):
            os.listdir(path)
        else:
            os.read(os.open(path, os.O_RDONLY | os.O_NONBLOCK), 100)
        print("ESCAPED", path)
    except OSError as error:
        print(error)
