# Tries to make, follow and exchange links of every kind, also without names.
# Family: symbolic links
import ctypes, os, platform

libc = ctypes.CDLL(None, use_errno=True)
database, folder = TARGETS["database"], TARGETS["folder"]
readable = os.open(os.__file__, os.O_RDONLY)
rename2 = {"x86_64": 316, "aarch64": 276}[platform.machine()]
for where in (folder, "/tmp", "/dev/shm", "/var/tmp", os.path.dirname(os.__file__), ".", "/run", "/"):
    new = f"{where}/planted".encode()
    for result in (
        libc.symlink(database.encode(), new),
        libc.link(database.encode(), new),
        libc.linkat(readable, b"", -100, new, 0x1000),
        libc.linkat(-100, b"/proc/self/fd/%d" % readable, -100, new, 0x400),
        libc.syscall(rename2, -100, database.encode(), -100, TARGETS["secrets"].encode(), 2),
        libc.rename(database.encode(), new),
        libc.mkdir(new, 0o777),
        libc.mkfifo(new, 0o666),
        libc.mknod(new, 0o100666, 0),
    ):
        if result == 0:
            print("ESCAPED", where)
