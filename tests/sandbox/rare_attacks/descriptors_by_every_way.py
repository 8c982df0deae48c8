# Tries to get descriptors of others: passed, fetched by process, guessed, or left open.
# Family: passed descriptors
import array, ctypes, os, socket, stat

libc = ctypes.CDLL(None, use_errno=True)
one, two = socket.socketpair()
for number in (*range(4), one.fileno()):
    try:
        one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [number]))])
        print("passed to itself", number)
    except OSError as error:
        print(error)
for pid in {TARGETS["pid"], os.getppid(), os.getpid() - 1}:
    handle = libc.syscall(434, pid, 0)
    if handle >= 0:
        print("ESCAPED", pid, libc.syscall(438, handle, TARGETS["database_descriptor"], 0))
for number in range(4, 1024):
    if number in (one.fileno(), two.fileno()):
        continue
    try:
        kind = os.fstat(number).st_mode
    except OSError:
        continue
    print("ESCAPED: it was left", number, stat.filemode(kind))
for level, option in ((1, 77), (1, 59), (1, 31), (1, 17)):
    try:
        got = one.getsockopt(level, option, 64)
        handle = int.from_bytes(got[:4], "little")
        # The peer of a pair is the run itself: its handle must lead to no other process, and fetch nothing.
        if option == 77 and libc.syscall(438, handle, TARGETS["database_descriptor"], 0) >= 0:
            print("ESCAPED: fetched by the peer's handle")
        if option == 17 and handle != os.getpid():
            print("ESCAPED: a peer", handle)
    except OSError as error:
        print(error)
