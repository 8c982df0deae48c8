# Tries to have the kernel watch folders.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
watcher = libc.inotify_init1(0)
if watcher >= 0 and libc.inotify_add_watch(watcher, b"/", 0xFFF) >= 0:
    print("ESCAPED")
