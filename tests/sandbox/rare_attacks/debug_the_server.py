# Tries to make every request of ptrace on the server, its siblings and itself, and to let itself be traced.
# Family: ptrace
import ctypes, os

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
for pid in {TARGETS["pid"], os.getppid(), *range(max(os.getpid() - 6, 2), os.getpid() + 6)} - {os.getpid()}:
    for request in (16, 0x4206):
        if libc.ptrace(request, pid, None, None) == 0:
            print("ESCAPED", request, pid)
if libc.ptrace(0, 0, None, None) == 0:
    print("ESCAPED: traced by the server")
if libc.prctl(0x59616D61, -1, 0, 0, 0) == 0:
    print("ESCAPED: anyone may trace it")
