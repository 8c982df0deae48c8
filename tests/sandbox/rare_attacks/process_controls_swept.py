# Tries to use each option of prctl: to outlive the server, to be traced, to keep powers, to change the filter.
# Family: pids
import ctypes, os, platform

libc = ctypes.CDLL(None, use_errno=True)
harmless = {15, 16, 3, 21, 39, 27, 25, 30}
for option in {*range(1, 90), 0x53564D41, 0x59616D61, 0x4D444B50} - harmless:
    for value in (0, 1):
        ctypes.set_errno(0)
        if libc.prctl(option, value, 0, 0, 0) >= 0:
            print("ESCAPED", option, value)
if libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(39, 0, 0, 0, 0) != 1:
    print("ESCAPED: new privileges")
