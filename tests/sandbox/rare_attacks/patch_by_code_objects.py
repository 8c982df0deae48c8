# Tries to replace the code of the runner's functions in place, found below its own frame.
# Family: replaced functions
import gc, sys, types

evil = (lambda *args, **kwargs: {"value": 42, "lines": [], "seconds": 0}).__code__
changed = 0
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType) and "sandbox" in thing.__code__.co_filename:
        try:
            thing.__code__ = evil
            changed += 1
        except ValueError:
            pass
print(changed, "functions replaced, all of them in this process only")
