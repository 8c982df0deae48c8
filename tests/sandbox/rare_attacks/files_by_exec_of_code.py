# Tries to open and connect by machine code without the C library and Python's hooks.
# Family: files
import ctypes, mmap, platform

if platform.machine() != "x86_64":
    raise SystemExit
# mov rax, rdi; mov rdi, rsi; mov rsi, rdx; mov rdx, rcx; syscall; ret
code = bytes.fromhex("4889f8 4889f7 4889d6 4889ca 0f05 c3")
try:
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
except OSError as error:
    print(error)
    raise SystemExit
page.write(code)
call = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_long, ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
path = ctypes.create_string_buffer(TARGETS["database"].encode())
shell = ctypes.create_string_buffer(b"/bin/true")
print("own pid", call(39, None, 0, 0))
for number, first, second, third in ((2, path, 0, 0), (41, None, 1, 0), (57, None, 0, 0), (59, shell, 0, 0), (85, path, 0, 0), (90, path, 0o777, 0)):
    got = call(number, ctypes.addressof(first) if first else 1, second, third)
    if got >= 0:
        print("ESCAPED", number, got)
