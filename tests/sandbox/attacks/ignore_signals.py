# Tries to ignore every signal and oversleep (the driver looks at the clock).
import signal, time

for number in signal.valid_signals():
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
time.sleep(60)
print("ESCAPED")
