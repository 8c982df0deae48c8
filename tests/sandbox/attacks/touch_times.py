# Tries to change the times of the app's files, by which backups and watchers go.
import os

for path in (TARGETS["database"], TARGETS["secrets"], TARGETS["folder"], os.__file__):
    try:
        os.utime(path, (1, 1))
        print("ESCAPED", path)
    except OSError as error:
        print(error)
