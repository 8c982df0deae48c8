# Tries to administer the machine: swap, accounting, quotas, restart, modules, ports, the time zone.
import ctypes
import platform

libc = ctypes.CDLL(None, use_errno=True)
numbers = {
    "x86_64": (167, 168, 163, 179, 169, 172, 173, 176, 320, 212, 134, 164, 154),
    "aarch64": (224, 225, 89, 60, 142, 106, 294, 18, 170, 162),
}
path = ctypes.create_string_buffer(TARGETS["database"].encode())
for number in numbers[platform.machine()]:
    ctypes.set_errno(0)
    result = libc.syscall(number, ctypes.addressof(path), 0, 0, 0)
    if result >= 0 or ctypes.get_errno() not in (1, 38):
        print("ESCAPED", number, result, ctypes.get_errno())
