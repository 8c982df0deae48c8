# Tries to let a file grow by calls that write without being called write.
# Family: disk
import ctypes, os, sys

libc = ctypes.CDLL(None, use_errno=True)
for descriptor in (0, 1, 2, 3):
    for name, act in (
        ("truncate", lambda: libc.ftruncate(descriptor, 1 << 30)),
        ("allocate", lambda: libc.fallocate(descriptor, 0, 0, 1 << 30)),
        ("posix_fallocate", lambda: libc.posix_fallocate(descriptor, 0, 1 << 30)),
        ("copy", lambda: libc.copy_file_range(descriptor, None, descriptor, None, 10, 0) > 0 or 1),
        ("sync", lambda: libc.syncfs(descriptor)),
    ):
        if act() == 0:
            print("ESCAPED", name, descriptor)
for path in (TARGETS["database"], TARGETS["secrets"], "/dev/null", os.__file__):
    if libc.truncate(path.encode(), 0) == 0:
        print("ESCAPED: cut", path)
    for flags in (os.O_RDWR, os.O_WRONLY | os.O_APPEND, os.O_RDONLY | os.O_TRUNC):
        try:
            print("ESCAPED", path, os.open(path, flags))
        except OSError:
            pass
