# Tries to trace and change the runner's own frames: settrace, setprofile, monitoring, audit hooks.
# Family: sys.settrace
import os, sys, threading

seen = set()


def tracer(frame, event, argument):
    name = frame.f_code.co_filename
    for key, value in list(frame.f_locals.items()):
        text = str(key)
        if any(word in text for word in ("expect", "solution", "secret", "checks", "token")):
            seen.add(text)
    return tracer


sys.settrace(tracer)
sys.setprofile(tracer)
threading.settrace(tracer)
frame = sys._getframe()
while frame:
    frame.f_trace = tracer
    frame = frame.f_back
sys.addaudithook(lambda name, arguments: None)
import atexit

atexit.register(lambda: print("ESCAPED", seen) if seen - {"secret"} else None)
