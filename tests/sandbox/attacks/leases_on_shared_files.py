# Tries to take leases on files that every run reads, so that whoever opens them waits, and to be told of changes.
import fcntl, json, os, signal, sys

signal.signal(signal.SIGIO, signal.SIG_IGN)
for path in (json.__file__, sys.executable, os.__file__, "/etc/ld.so.cache"):
    for command, kind in ((1024, fcntl.F_RDLCK), (1024, fcntl.F_WRLCK)):
        try:
            fcntl.fcntl(os.open(path, os.O_RDONLY), command, kind)
            print("ESCAPED", path, kind)
        except OSError as error:
            print(error)
for folder in (os.path.dirname(os.__file__), TARGETS["folder"], "/"):
    try:
        fcntl.fcntl(os.open(folder, os.O_RDONLY | os.O_DIRECTORY), 1026, 0x8000003F)
        print("ESCAPED", folder)
    except OSError as error:
        print(error)
