# Tries to list the folders of the machine.
import os

for path in (
    "/",
    "/home",
    "/root",
    "/tmp",
    "/etc",
    "/proc",
    "/dev",
    "/var",
    "/usr",
    TARGETS["folder"],
    TARGETS["pack"],
):
    try:
        print("ESCAPED", os.listdir(path))
    except OSError as error:
        print(error)
