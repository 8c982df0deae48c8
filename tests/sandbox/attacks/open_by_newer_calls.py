# Tries to open the database by openat2, and read it by O_PATH and fchdir.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import os

how = ctypes.create_string_buffer(24)
if libc.syscall(437, -100, TARGETS["database"].encode(), how, 24) >= 0:
    print("ESCAPED openat2")
fd = os.open(TARGETS["folder"], os.O_PATH)
for attempt in (
    lambda: os.open("study.db", os.O_RDONLY, dir_fd=fd),
    lambda: os.read(os.open(TARGETS["database"], os.O_PATH), 5),
    lambda: os.listdir(fd),
):
    try:
        print("ESCAPED", attempt())
    except OSError as error:
        print(error)
