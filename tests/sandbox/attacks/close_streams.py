# Tries to close its streams and go on (the driver looks at the clock).
import os, time

os.closerange(0, 64)
time.sleep(60)
