# Tries to make a pair of sockets talk to an abstract address, to be named, or to listen.
# Family: abstract sockets
import socket

names = ["\0" + TARGETS["abstract"], "\0", "\0/tmp/.X11-unix/X0", "\0/org/freedesktop/systemd1/notify", TARGETS["unix"], ""]
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
    try:
        pair = socket.socketpair(socket.AF_UNIX, kind)
    except OSError as error:
        print(error)
        continue
    if kind != socket.SOCK_STREAM:
        print("ESCAPED: a pair of kind", kind)
    for end in pair:
        for name in names:
            for act in (lambda: end.connect(name), lambda: end.bind(name), lambda: end.sendto(b"x", name), lambda: end.sendmsg([b"x"], [], 0, name), lambda: end.listen(1), lambda: end.accept()):
                end.settimeout(0.01)
                try:
                    act()
                    print("ESCAPED", repr(name))
                except OSError:
                    pass
