# Tries to get hold of processes by the ends of a socket pair, and to signal them through it.
import ctypes
import socket

libc = ctypes.CDLL(None, use_errno=True)
left, right = socket.socketpair()
SO_PEERPIDFD, SO_PASSPIDFD = 77, 76
for option in (SO_PEERPIDFD, 17, 59):
    try:
        found = left.getsockopt(socket.SOL_SOCKET, option, 64)
    except OSError as error:
        print(error)
        continue
    descriptor = int.from_bytes(found[:4], "little")
    if option == SO_PEERPIDFD:
        for number, values in ((424, (descriptor, 10, 0, 0)), (438, (descriptor, 1, 0))):
            if libc.syscall(number, *values) >= 0:
                print("ESCAPED", number)
pid = libc.syscall(434, TARGETS["pid"], 0)
if pid >= 0:
    print("ESCAPED pidfd_open", libc.syscall(424, pid, 0, 0, 0))
