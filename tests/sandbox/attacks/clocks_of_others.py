# Tries to read the computing time of other processes, and their scheduling.
import ctypes, os, time

for pid in (1, TARGETS["pid"], os.getppid()):
    clock = (~pid << 3) | 2
    for attempt in (lambda: time.clock_gettime(clock), lambda: os.sched_getscheduler(pid), lambda: os.sched_getaffinity(pid)):
        try:
            print("ESCAPED", pid, attempt())
        except (OSError, OverflowError):
            pass
os._exit(0)
