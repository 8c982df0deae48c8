# Tries to see in the page cache what other processes have read.
import ctypes
import mmap
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.mincore.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p
seen = set()
for folder in {os.path.dirname(os.__file__), *TARGETS["site"][:4], "/usr/lib"}:
    for place, _, names in os.walk(folder):
        for name in names[:30]:
            try:
                with open(os.path.join(place, name), "rb") as file:
                    held = mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
            except (OSError, ValueError):
                continue
            pages = (len(held) + 4095) // 4096
            found = ctypes.create_string_buffer(pages)
            start = ctypes.addressof(ctypes.c_char.from_buffer(held))
            if libc.mincore(start, len(held), ctypes.addressof(found)) == 0:
                seen |= {byte & 1 for byte in found.raw}
if len(seen) > 1:
    print("ESCAPED")
print(seen, sys.platform)
