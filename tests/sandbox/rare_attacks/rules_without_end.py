# Tries to fill the kernel's memory by rules: those of Landlock, filters, and layers of both.
# Family: memory
import ctypes, platform

libc = ctypes.CDLL(None, use_errno=True)
made = 0
attributes = (ctypes.c_uint64 * 3)(1, 0, 0)
for _ in range(2000):
    if libc.syscall(444, attributes, 8, 0) < 0:
        break
    made += 1
if made > 64:
    print("ESCAPED: rule sets", made)


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


code = (ctypes.c_uint64 * 4000)(*([0x0000000000000006 | (0x7FFF0000 << 32)] * 4000))
program = Program(4000, ctypes.addressof(code))
call = {"x86_64": 317, "aarch64": 277}[platform.machine()]
layers = 0
while layers < 100 and libc.syscall(call, 1, 0, ctypes.byref(program)) == 0:
    layers += 1
if layers > 32:
    print("ESCAPED: filters", layers)
