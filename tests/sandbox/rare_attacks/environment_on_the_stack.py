# Tries to find the app's environment where the kernel put it: above the stack, and behind the C library's pointer.
# Family: environment
import ctypes, hashlib

libc = ctypes.CDLL(None, use_errno=True)
libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
state = ctypes.create_string_buffer(1)
start, whole = TARGETS["secret"][:4].encode(), hashlib.sha256(TARGETS["secret"].encode()).digest()
length = len(TARGETS["secret"])
del TARGETS["secret"]
end = ctypes.c_void_p.in_dll(libc, "__libc_stack_end").value & ~4095
pages = found = 0
for page in range(end, end + (64 << 12), 4096):
    if libc.mincore(page, 4096, state) != 0:
        break
    pages += 1
    data = ctypes.string_at(page, 4096)
    if b"STUDY_SECRET=" in data:
        print("ESCAPED: a variable of the app")
pointer = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
index = 0
while pointer and pointer[index]:
    if b"SECRET" in pointer[index] or b"TOKEN" in pointer[index] or b"KEY" in pointer[index]:
        print("ESCAPED", pointer[index])
    index += 1
print(pages, "pages", index, "variables")
