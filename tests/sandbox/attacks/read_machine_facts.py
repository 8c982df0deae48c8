# Tries to read what the machine is, who uses it and whom it talks to.
for path in (
    "/etc/passwd", "/etc/shadow", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/machine-id", "/proc/net/tcp",
    "/proc/net/unix", "/proc/kallsyms", "/proc/modules", "/proc/mounts", "/proc/self/mountinfo", "/proc/self/cgroup",
    "/proc/cmdline", "/proc/loadavg", "/proc/locks", "/proc/key-users", "/sys/class/net/lo/address", "/proc/self/maps",
    "/sys/kernel/notes", "/var/log/dpkg.log", "/root/.ssh/authorized_keys", "/proc/self/environ", "/proc/1/status",
):
    try:
        with open(path, "rb") as file:
            print("ESCAPED", path, file.read(40))
    except OSError as error:
        print(error)
