# Tries to read the database through its own symbolic link.
import os

for folder in (TARGETS["folder"], "/tmp", "/dev/shm"):
    try:
        os.symlink(TARGETS["database"], f"{folder}/evil-link")
        print("ESCAPED", open(f"{folder}/evil-link").read())
    except OSError as error:
        print(error)
