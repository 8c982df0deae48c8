# Tries to read its own entries of /proc, by any name that the kernel has for itself.
# Family: proc
import os, threading

me, tid = os.getpid(), threading.get_native_id()
for base in ("/proc/self", "/proc/thread-self", f"/proc/{me}", f"/proc/self/task/{tid}", f"/proc/{me}/task/{me}", "/dev/fd/..", "/proc/self/cwd/proc/self"):
    for name in ("maps", "smaps", "mem", "environ", "cmdline", "stat", "status", "auxv", "pagemap", "fd", "ns", "root", "cwd", "exe", "cgroup", "mountinfo", "oom_score_adj", "setgroups", "uid_map", "attr/current", "timers", "map_files", "syscall", "stack", "wchan", "io", "limits", "sched", "clear_refs", "coredump_filter"):
        try:
            print("ESCAPED", base, name, os.open(f"{base}/{name}", os.O_RDONLY))
        except OSError:
            pass
