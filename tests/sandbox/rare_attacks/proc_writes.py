# Tries to write what /proc and /sys take: memory, maps of users, weights, switches of the kernel.
# Family: proc
import os

for path in ("/proc/self/mem", f"/proc/{TARGETS['pid']}/mem", "/proc/self/oom_score_adj", "/proc/self/uid_map", "/proc/self/comm", "/proc/self/clear_refs", "/proc/self/attr/exec", "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/vm/drop_caches", "/sys/kernel/uevent_helper", "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/power/state", "/proc/self/timerslack_ns", "/proc/self/coredump_filter"):
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND):
        try:
            print("ESCAPED", path, os.open(path, flags))
        except OSError:
            pass
