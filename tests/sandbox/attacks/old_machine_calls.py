# Tries to enter the kernel by the 32-bit gate with code that it makes itself.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import mmap, platform

if platform.machine() == "x86_64":
    # mov eax, 20 (getpid on i386); int 0x80; ret
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    result = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    if result > 0:
        print("ESCAPED", result)
