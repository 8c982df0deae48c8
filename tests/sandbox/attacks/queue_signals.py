# Tries to use up the signals that may wait for its user, which other runs and the app need for their timers.
import ctypes, os, platform, signal

libc = ctypes.CDLL(None, use_errno=True)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMIN, signal.SIGRTMIN + 1})
number = {"x86_64": 129, "aarch64": 138}[platform.machine()]
information = (ctypes.c_int * 32)(signal.SIGRTMIN, 0, -1)
made = sum(libc.syscall(number, os.getpid(), signal.SIGRTMIN, information) == 0 for _ in range(40_000))
if made > 1000:
    print("ESCAPED", made)
