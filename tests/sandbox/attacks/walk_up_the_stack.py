# Tries to find in the frames below the program what the fork server knows of other runs.
import os, sys

frame = sys._getframe()
while frame is not None:
    known = {**frame.f_globals, **frame.f_locals}
    for name in ("running", "config", "served", "control", "selector"):
        if name in known:
            print("ESCAPED", name, frame.f_code.co_name)
    frame = frame.f_back
os._exit(0)
