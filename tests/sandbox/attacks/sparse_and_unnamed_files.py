# Tries to make files that take memory or disk without a name: sparse, unnamed, in memory.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
for folder in ("/dev/shm", "/tmp", "/var/tmp", "/run", TARGETS["folder"]):
    for flags, path in ((os.O_TMPFILE | os.O_RDWR, folder), (os.O_CREAT | os.O_RDWR, f"{folder}/sparse")):
        try:
            descriptor = os.open(path, flags)
            os.ftruncate(descriptor, 1 << 40)
            print("ESCAPED", path)
        except OSError as error:
            print(error)
if libc.shm_open(b"/shared", os.O_CREAT | os.O_RDWR, 0o600) >= 0:
    print("ESCAPED shm_open")
for number in range(6):
    try:
        os.ftruncate(number, 1 << 30)
        print("ESCAPED", number)
    except OSError as error:
        print(error)
