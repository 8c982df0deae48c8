# Tries to take the machine's huge pages.
import mmap

try:
    pages = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)
    pages[0] = 1
    print("ESCAPED")
except (OSError, ValueError) as error:
    print(error)
