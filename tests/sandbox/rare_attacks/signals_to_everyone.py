# Tries to signal each process there may be, in every way that names one.
# Family: signals to others
import ctypes, os, signal

libc = ctypes.CDLL(None, use_errno=True)
me = os.getpid()
for pid in {TARGETS["pid"], os.getppid(), -TARGETS["pid"], -os.getppid(), -1, *range(1, 40), *range(me - 30, me + 30)} - {me, -me}:
    for act in (lambda: os.kill(pid, 0), lambda: os.kill(pid, signal.SIGCONT), lambda: os.killpg(abs(pid), 0)):
        try:
            act()
            if abs(pid) != me:
                print("ESCAPED", pid)
        except (OSError, OverflowError):
            pass
    if pid > 0:
        try:
            print("ESCAPED", os.pidfd_open(pid))
        except (OSError, AttributeError):
            pass
