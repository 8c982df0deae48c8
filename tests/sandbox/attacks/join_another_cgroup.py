# Tries to leave its control group, make one below it and lift what bounds it.
import os

groups = ["/sys/fs/cgroup"]
try:
    groups += ["/sys/fs/cgroup" + line.split(":", 2)[2].strip() for line in open("/proc/self/cgroup")]
except OSError as error:
    print(error)
for group in [*groups, *map(os.path.dirname, groups)]:
    for name, value in (("cgroup.procs", "0"), ("cgroup.threads", "0"), ("memory.max", "max"), ("pids.max", "max"), ("cpu.max", "max"), ("cgroup.freeze", "0")):
        try:
            descriptor = os.open(f"{group}/{name}", os.O_WRONLY)
            os.write(descriptor, value.encode())
            print("ESCAPED", group, name)
        except OSError as error:
            print(error)
    try:
        os.mkdir(f"{group}/mine")
        print("ESCAPED", group)
    except OSError as error:
        print(error)
