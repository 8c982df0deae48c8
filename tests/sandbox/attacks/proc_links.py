# Tries to go round by /proc/self/root, /proc/self/cwd and /dev/fd.
for path in ("/proc/self/root", "/proc/self/cwd", "/proc/thread-self/root", "//", "/proc/1/root"):
    try:
        print("ESCAPED", open(path + TARGETS["database"]).read())
    except OSError as error:
        print(error)
