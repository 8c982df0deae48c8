# Tries to fork 300 children.
import os, time

made = 0
for _ in range(300):
    try:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        made += 1
    except OSError:
        break
if made:
    print("ESCAPED", made)
