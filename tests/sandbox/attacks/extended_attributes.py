# Tries to read and to write extended attributes of the app's files.
import os

for path in (TARGETS["database"], TARGETS["secrets"], TARGETS["folder"], "/usr/lib"):
    for act in (
        lambda: os.setxattr(path, "user.mark", b"1"),
        lambda: os.getxattr(path, "user.mark"),
        lambda: os.listxattr(path),
        lambda: os.removexattr(path, "user.mark"),
    ):
        try:
            act()
            print("ESCAPED", path)
        except OSError as error:
            print(error)
