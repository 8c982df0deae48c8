# Tries to write into the report and the output after its end, by the interpreter's own watch over faults.
# Family: at exit
import faulthandler, os, signal

for descriptor in (1, 2, 3):
    try:
        faulthandler.dump_traceback_later(0.01, repeat=True, file=descriptor)
        faulthandler.register(signal.SIGCHLD, file=descriptor, all_threads=True, chain=True)
        faulthandler.enable(file=descriptor)
    except (OSError, ValueError, RuntimeError):
        pass
import time

time.sleep(0.3)
os.kill(os.getpid(), signal.SIGSEGV)
