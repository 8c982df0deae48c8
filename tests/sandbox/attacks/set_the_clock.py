# Tries to set the clock by which the trial measures time.
import ctypes, platform, time

libc = ctypes.CDLL(None, use_errno=True)
numbers = {"x86_64": (164, 227, 159, 305), "aarch64": (170, 112, 171, 266)}[platform.machine()]
settimeofday, clock_settime, adjtimex, clock_adjtime = numbers
now = (ctypes.c_long * 2)(int(time.time()) + 7200, 0)
change = (ctypes.c_char * 512)()
change[0] = 1
for done in (
    libc.syscall(settimeofday, now, None),
    libc.syscall(clock_settime, 0, now),
    libc.syscall(adjtimex, change),
    libc.syscall(clock_adjtime, 0, change),
):
    if done >= 0:
        print("ESCAPED", done)
try:
    time.clock_settime(time.CLOCK_REALTIME, time.time() + 7200)
    print("ESCAPED")
except OSError as error:
    print(error)
