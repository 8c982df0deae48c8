# Tries to break the runner by replacing everything that it could still call.
# Family: replaced functions
import builtins, gc, io, json, linecache, os, sys, threading, time, traceback


def wrong(*args, **kwargs):
    raise SystemError("replaced")


for module in (json, linecache, traceback, threading, time, io, gc, os):
    for name in list(vars(module)):
        if callable(getattr(module, name)) and not name.startswith("__"):
            try:
                setattr(module, name, wrong)
            except (AttributeError, TypeError):
                pass
for name in ("len", "isinstance", "str", "repr", "int", "getattr", "print", "type", "open", "exec", "compile"):
    setattr(builtins, name, wrong)
sys.stdout = sys.stderr = sys.__stdout__ = None
sys.modules.clear()
sys.exit = os._exit = wrong
raise SystemError
