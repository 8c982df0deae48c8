# Tries to burn computing time for ever, refusing the signal that says so (the driver looks at the clock).
import signal

signal.signal(signal.SIGXCPU, signal.SIG_IGN)
while True:
    pass
