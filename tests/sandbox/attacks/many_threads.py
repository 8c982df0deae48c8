# Tries to start 1500 threads.
import threading, time

made = 0
try:
    for _ in range(1500):
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        made += 1
except (RuntimeError, MemoryError) as error:
    print(error)
if made > 1000:
    print("ESCAPED", made)
import os

os._exit(0)
