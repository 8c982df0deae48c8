# Tries to fork twice with its own session, to outlive the run.
import os, time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
print("ESCAPED")
