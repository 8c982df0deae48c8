# Tries to leave a dump of itself on the disk, or in a helper of the kernel.
# Family: disk
import ctypes, os, resource, signal

libc = ctypes.CDLL(None, use_errno=True)
for act in (lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)), lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1)), lambda: os.chdir(TARGETS["folder"]), lambda: os.chdir("/tmp")):
    try:
        act()
        print("ESCAPED")
    except (OSError, ValueError) as error:
        print(error)
libc.abort()
