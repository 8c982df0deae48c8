# Tries to go on after its time by sleeping and waiting where Python cannot interrupt.
# Family: timing
import ctypes, signal

libc = ctypes.CDLL(None, use_errno=True)
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
print("still here", flush=True)
while True:
    libc.sleep(1000)
    libc.poll(None, 0, -1)
    libc.pause()
