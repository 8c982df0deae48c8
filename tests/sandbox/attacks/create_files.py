# Tries to create a file in every place that is often writable.
import os

for folder in (
    TARGETS["folder"],
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/run",
    "/run/lock",
    ".",
    "/",
    os.path.expanduser("~"),
):
    for flags in (os.O_CREAT | os.O_WRONLY, os.O_CREAT | os.O_RDONLY, os.O_TMPFILE | os.O_RDWR):
        try:
            os.open(folder if flags & os.O_TMPFILE == os.O_TMPFILE else f"{folder}/evil", flags)
            print("ESCAPED", folder)
        except OSError as error:
            print(error)
