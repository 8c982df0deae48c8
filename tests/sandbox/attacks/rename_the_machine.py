# Tries to do what only an administrator may: name the machine, restart it, account, quotas, ports, modules, swap.
import ctypes, platform

libc = ctypes.CDLL(None, use_errno=True)
calls = {
    "x86_64": {"sethostname": 170, "setdomainname": 171, "reboot": 169, "acct": 163, "quotactl": 179, "swapoff": 168, "iopl": 172, "ioperm": 173, "init_module": 175, "delete_module": 176, "kexec_load": 246, "vhangup": 153, "pivot_root": 155, "chroot": 161, "syslog": 103, "lookup_dcookie": 212, "open_by_handle_at": 304},
    "aarch64": {"sethostname": 161, "setdomainname": 162, "reboot": 142, "acct": 89, "quotactl": 60, "swapoff": 225, "init_module": 105, "delete_module": 106, "kexec_load": 104, "vhangup": 58, "pivot_root": 41, "chroot": 51, "syslog": 116, "open_by_handle_at": 265},
}[platform.machine()]
name = b"mine"
for call, number in calls.items():
    arguments = (0xFEE1DEAD, 672274793, 0) if call == "reboot" else (name, len(name), 0)
    if call == "iopl":
        arguments = (3, 0, 0)
    elif call == "ioperm":
        arguments = (0x80, 1, 1)
    elif call == "chroot":
        arguments = (b"/", 0, 0)
    if libc.syscall(number, *arguments, 0) >= 0:
        print("ESCAPED", call)
