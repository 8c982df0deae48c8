# Tries to mount, change the root, swap on.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import ctypes

for result in (
    libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
    libc.chroot(b"/tmp"),
    libc.umount2(b"/", 2),
    libc.swapon(b"/x", 0),
):
    if result == 0:
        print("ESCAPED")
