# Tries to copy the app's descriptors and memory: pidfd_getfd, process_vm_readv, kcmp.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import platform

vm_read, kcmp = {"x86_64": (310, 312), "aarch64": (270, 272)}[platform.machine()]
buffer = ctypes.create_string_buffer(64)
local = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 64)
for result in (
    libc.syscall(438, 3, 3, 0),
    libc.syscall(vm_read, TARGETS["pid"], local, 1, local, 1, 0),
    libc.syscall(kcmp, TARGETS["pid"], 1, 0, 0, 0),
):
    if result >= 0:
        print("ESCAPED", result)
