# Tries to speak over a socket pair as the app: with its process id, as root, and to see credentials that are not its own.
import os, socket, struct

left, right = socket.socketpair()
try:
    right.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
except OSError as error:
    print(error)
for pid, user in ((TARGETS["pid"], os.getuid()), (os.getppid(), os.getuid()), (1, 0), (os.getpid(), 0 if os.getuid() else 65534)):
    try:
        left.sendmsg([b"x"], [(socket.SOL_SOCKET, 2, struct.pack("iII", pid, user, user))])
        _, data, _, _ = right.recvmsg(10, 200)
        told = [struct.unpack("iII", value[:12]) for level, kind, value in data if kind == 2]
        if told and told[0][0] == pid != os.getpid():
            print("ESCAPED", told)
    except OSError as error:
        print(error)
