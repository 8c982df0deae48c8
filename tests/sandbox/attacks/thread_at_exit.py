# Tries to leave a thread that never ends (the driver looks at the clock).
import threading, time

threading.Thread(target=lambda: time.sleep(60)).start()
