# Tries to reopen its own streams, terminals and devices by name.
# Family: files
import os, stat

for path in ("/dev/stdin", "/dev/stdout", "/dev/fd/0", "/dev/fd/3", "/proc/self/fd/3", "/dev/tty", "/dev/ptmx", "/dev/pts/0", "/dev/shm", "/dev/zero", "/dev/full", "/dev/random", "/dev/console", "/dev/loop0", "/dev/fuse", "/dev/kvm", "/dev/net/tun", "/dev/userfaultfd", "/dev/input/event0"):
    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
        try:
            number = os.open(path, flags | os.O_NONBLOCK)
            # Its own streams are pipes, which it may read: they hold what it wrote itself.
            if not stat.S_ISFIFO(os.fstat(number).st_mode) and not os.path.samestat(os.fstat(number), os.stat("/dev/null")):
                print("ESCAPED", path, flags)
            elif flags != os.O_RDONLY:
                print("ESCAPED: for writing", path, flags)
        except OSError:
            pass
for path in ("/dev/null", "/dev/urandom"):
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_CREAT, os.O_RDONLY | os.O_TRUNC):
        try:
            print("ESCAPED", path, flags, os.open(path, flags))
        except OSError:
            pass
