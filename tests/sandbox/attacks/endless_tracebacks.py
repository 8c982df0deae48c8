# Tries to write tracebacks past the frames of the streams, from a thread that is not Python's.
import faulthandler
import time

for descriptor in range(1, 20):
    try:
        faulthandler.enable(descriptor)
        faulthandler.dump_traceback_later(0.001, repeat=True, file=descriptor)
        time.sleep(0.02)
    except (OSError, ValueError, RuntimeError):
        pass
