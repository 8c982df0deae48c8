# Tries to signal the app by tkill, tgkill, rt_sigqueueinfo and a process descriptor.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import os, platform

tkill, queue, pidfd = {"x86_64": (200, 129, 434), "aarch64": (130, 138, 434)}[platform.machine()]
pid = TARGETS["pid"]
tgkill = {"x86_64": 234, "aarch64": 131}[platform.machine()]
for result in (
    libc.syscall(tkill, pid, 0),
    libc.syscall(tgkill, pid, pid, 0),
    libc.syscall(queue, pid, 0, ctypes.create_string_buffer(128)),
):
    if result == 0:
        print("ESCAPED")
fd = libc.syscall(pidfd, pid, 0)
if fd >= 0:
    print("ESCAPED", fd)
