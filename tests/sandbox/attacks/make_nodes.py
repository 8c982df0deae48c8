# Tries to make pipes, devices and sockets in the file system.
import os
import stat

for folder in (TARGETS["folder"], "/tmp", "/dev/shm", "/var/tmp", ".", "/run"):
    for act in (
        lambda: os.mkfifo(f"{folder}/pipe"),
        lambda: os.mknod(f"{folder}/disk", 0o600 | stat.S_IFBLK, os.makedev(8, 0)),
        lambda: os.mknod(f"{folder}/memory", 0o600 | stat.S_IFCHR, os.makedev(1, 1)),
        lambda: os.mknod(f"{folder}/socket", 0o600 | stat.S_IFSOCK),
    ):
        try:
            act()
            print("ESCAPED", folder)
        except OSError as error:
            print(error)
