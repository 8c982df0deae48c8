# Tries to open devices that show the machine.
for path in (
    "/dev/mem",
    "/dev/kmsg",
    "/proc/kcore",
    "/proc/kallsyms",
    "/dev/sda",
    "/dev/vda",
    "/dev/random",
    "/dev/ptmx",
    "/sys/kernel/notes",
    "/etc/passwd",
    "/etc/shadow",
    "/proc/self/maps",
    "/proc/self/environ",
    "/proc/net/tcp",
):
    try:
        open(path, "rb").read(1)
        print("ESCAPED", path)
    except OSError as error:
        print(error)
