# Tries to start threads by the bare system call, with stacks so small that no memory limit stops them.
import ctypes, mmap, os, platform, time

if platform.machine() != "x86_64":
    os._exit(0)
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(
    bytes.fromhex(
        "53415441554989fc4889f34531edb838000000bf000f0500488db30001000031d24531d24531c00f054885c074"
        "1a780f49ffc54881c30001000049ffcc75cf4c89e8415d415c5bc3b8220000000f05ebf7"
    )
)
stacks = mmap.mmap(-1, 6000 * 256 + 4096)
address = lambda area: ctypes.addressof(ctypes.c_char.from_buffer(area))
start = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long, ctypes.c_long)(address(code))
made = start(6000, address(stacks))
time.sleep(0.5)
if made > 128:
    print("ESCAPED", made, flush=True)
os._exit(0)
