# Tries to do at the end what the program may not: at exit, in destructors, in weak references, in hooks.
# Family: at exit
import atexit, sys, threading, weakref, os


def later(*_):
    for path in (TARGETS["database"], TARGETS["secrets"]):
        try:
            print("ESCAPED", open(path).read())
        except OSError:
            pass
    try:
        if os.fork() == 0:
            os._exit(0)
        print("ESCAPED by fork")
    except OSError:
        pass


class Last:
    def __del__(self, later=later):
        later()


last = Last()
kept = weakref.finalize(Last(), later)
atexit.register(later)
threading._register_atexit(later)
sys.excepthook = sys.unraisablehook = threading.excepthook = later
raise KeyboardInterrupt
