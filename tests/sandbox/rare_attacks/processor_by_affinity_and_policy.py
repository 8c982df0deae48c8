# Tries to take the processors from others: policy, affinity, weights, groups, latency.
# Family: processor
import ctypes, os, platform, struct

libc = ctypes.CDLL(None, use_errno=True)
number, ioprio, = {"x86_64": (314, 251), "aarch64": (274, 30)}[platform.machine()]
for policy in (1, 2, 6, 7):
    attributes = ctypes.create_string_buffer(struct.pack("<IIQiIQQQII", 56, policy, 0, -20, 50, 10_000_000, 30_000_000, 30_000_000, 0, 1024))
    for pid in (0, TARGETS["pid"]):
        if libc.syscall(number, pid, attributes, 0) == 0:
            print("ESCAPED: policy", policy, pid)
for act in (lambda: os.sched_setaffinity(TARGETS["pid"], {0}), lambda: os.sched_setaffinity(os.getppid(), {0}), lambda: os.setpriority(os.PRIO_PGRP, 0, -5), lambda: os.setpriority(os.PRIO_USER, os.getuid(), 19), lambda: os.setpriority(os.PRIO_PROCESS, TARGETS["pid"], 19)):
    try:
        act()
        print("ESCAPED")
    except OSError as error:
        print(error)
for class_ in (1, 2, 3):
    if libc.syscall(ioprio, 1, TARGETS["pid"], class_ << 13) == 0:
        print("ESCAPED: input priority")
