# Tries to leave a handler for the end that never ends (the driver looks at the clock).
import atexit, time

atexit.register(time.sleep, 60)
