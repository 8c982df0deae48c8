# Tries to let the interpreter write the numbers of signals between the frames of every pipe.
import os
import signal
import time

for descriptor in range(1, 20):
    try:
        os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
    except (OSError, ValueError):
        continue
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    end = time.monotonic() + 0.05
    while time.monotonic() < end:
        print("a line", flush=True)
