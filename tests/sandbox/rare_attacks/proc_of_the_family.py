# Tries to look at the server, its siblings and itself through every table of processes.
# Family: proc
import os

for pid in {os.getppid(), 1, 2, TARGETS["pid"], *range(os.getpid() - 12, os.getpid() + 12)} - {os.getpid()}:
    for name in ("status", "stat", "maps", "cwd", "root", "exe", "task", "environ", "ns/mnt", "cgroup", "wchan", "comm", "limits"):
        path = f"/proc/{pid}/{name}"
        for act in (lambda: os.open(path, os.O_RDONLY), lambda: os.readlink(path), lambda: os.listdir(path)):
            try:
                print("ESCAPED", path, act())
            except OSError:
                pass
