# Tries to read back what it wrote, and what others wrote, from its own pipes.
# Family: own pipes
import ctypes, fcntl, os, select

libc = ctypes.CDLL(None, use_errno=True)
def others(descriptor):
    """What comes out of one of these pipes that it did not write itself."""
    try:
        got = b"".join(iter(lambda: os.read(descriptor, 65536), b""))
    except BlockingIOError:
        got = b""
    os.close(descriptor)
    if got:
        return got
    raise OSError("nothing")


for number in (1, 2, 3, 4, 5):
    for act in (
        lambda: os.read(number, 1),
        lambda: os.pread(number, 1, 0),
        lambda: os.lseek(number, 0, 0),
        lambda: others(os.open(f"/dev/fd/{number}", os.O_RDONLY | os.O_NONBLOCK)),
        lambda: libc.tee(number, number, 10, 2) > 0 or os.read(-1, 1),
        lambda: libc.splice(number, None, 1, None, 10, 2) > 0 or os.read(-1, 1),
        lambda: libc.vmsplice(number, None, 0, 0) > 0 or os.read(-1, 1),
    ):
        try:
            print("ESCAPED", number, act())
        except OSError:
            pass
job = os.read(0, 10)
if job:
    print("ESCAPED", job)
