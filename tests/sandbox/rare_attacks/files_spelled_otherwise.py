# Tries to read the database under every spelling of its path.
# Family: files
import os

path = TARGETS["database"]
parts = path.strip("/").split("/")
for spelling in (
    path.encode(), "//" + "//".join(parts), "/./" + "/./".join(parts), "/usr/.." + path, "/usr/lib/../.." + path,
    "/proc/../" + path, "/dev/fd/.." + path, "/dev/../" + path, os.__file__ + "/../../../.." + path, "/" * 300 + path[1:],
    "/usr/share/zoneinfo/../../../" + path[1:], "../" * 40 + path[1:], "file://" + path, "/proc/self/root/." + path,
):
    for flags in (os.O_RDONLY, os.O_RDONLY | os.O_NOFOLLOW, os.O_PATH, os.O_RDONLY | os.O_DIRECT, os.O_RDONLY | os.O_NOATIME):
        try:
            number = os.open(spelling, flags)
            # A handle alone reads nothing; it counts where it can become more.
            if flags != os.O_PATH:
                print("ESCAPED", spelling, flags)
            for again in (lambda: os.read(number, 1), lambda: os.open(f"/proc/self/fd/{number}", os.O_RDONLY), lambda: os.open(f"/dev/fd/{number}", os.O_RDONLY), lambda: os.listdir(number), lambda: os.open("study.db", os.O_RDONLY, dir_fd=number)):
                try:
                    print("ESCAPED", spelling, again())
                except OSError:
                    pass
        except (OSError, ValueError):
            pass
