# Tries to lock files that all runs read, to hold them up or to signal across.
import fcntl, os

file = open(os.__file__, "rb")
for attempt in (
    lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB),
    lambda: fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB),
    lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK),
):
    try:
        attempt()
        print("ESCAPED")
    except OSError as error:
        print(error)
