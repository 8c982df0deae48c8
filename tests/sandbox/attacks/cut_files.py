# Tries to cut the app's files to nothing without opening them.
import os

for path in (TARGETS["database"], TARGETS["secrets"], TARGETS["submission"], os.__file__):
    try:
        os.truncate(path, 0)
        print("ESCAPED", path)
    except OSError as error:
        print(error)
