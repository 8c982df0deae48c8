# Tries to close the report's pipe, put another in its place, and hold the old one by threads.
# Family: forged reports
import os, threading, time

kept = os.dup(3)
os.close(3)
read, write = os.pipe()
os.dup2(write, 3)
threading.Thread(target=lambda: [os.write(kept, b"\x03\x02\x00{}") for _ in range(100)]).start()
os.write(3, b"\x03\x02\x00{}")
os.close(1)
os.close(2)
time.sleep(60)
