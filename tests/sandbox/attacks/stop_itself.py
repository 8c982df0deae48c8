# Tries to stop itself and wait to be forgotten (the driver looks at the clock).
import os, signal

os.kill(os.getpid(), signal.SIGSTOP)
