# Tries to open sockets of rare families: packet, netlink, vsock, alg.
import socket

for family, kind in ((16, 3), (17, 3), (38, 5), (40, 1), (31, 3), (1, 1), (1, 5)):
    try:
        socket.socket(family, kind)
        print("ESCAPED", family)
    except OSError as error:
        print(error)
