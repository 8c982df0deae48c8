# Tries to see how long others compute, and to bend clocks and slack for all.
# Family: timing
import ctypes, os, resource, time

libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(256)
for clock in range(12, 5000):
    if libc.clock_gettime(clock, buffer) == 0:
        print("ESCAPED: a clock", clock)
for pid in {TARGETS["pid"], os.getppid(), 1, os.getpid() - 1}:
    for clock in (~pid << 3 | 2, ~pid << 3 | 6, ~pid << 3, ~os.getpid() + 1 << 3 | 5):
        if libc.clock_gettime(ctypes.c_int(clock), buffer) == 0:
            print("ESCAPED: processor time of", pid)
    for act in (lambda: os.sched_getparam(pid), lambda: os.sched_getaffinity(pid), lambda: os.sched_rr_get_interval(pid), lambda: os.getpriority(os.PRIO_PROCESS, pid), lambda: os.getsid(pid), lambda: os.getpgid(pid), lambda: resource.prlimit(pid, resource.RLIMIT_CPU)):
        try:
            print("ESCAPED", pid, act())
        except OSError:
            pass
for act in (lambda: time.clock_settime(0, time.time()), lambda: libc.adjtimex(buffer) < 0 or 1 / 0, lambda: libc.settimeofday(buffer, None) and 1 / 0):
    try:
        act()
    except ZeroDivisionError:
        pass
    except OSError as error:
        print(error)
if libc.settimeofday((ctypes.c_long * 2)(1, 1), None) == 0:
    print("ESCAPED: the clock is set")
try:
    open("/proc/uptime").read()
    print("ESCAPED: load of the machine")
except OSError:
    pass
