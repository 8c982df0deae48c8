# Tries to remove the app's files, to rename them, and to put others in their places.
import os

first, second = TARGETS["database"], TARGETS["secrets"]
for act, paths in (
    (os.unlink, (first,)),
    (os.rename, (first, second)),
    (os.replace, (second, first)),
    (os.rmdir, (TARGETS["folder"],)),
    (os.renames, (first, first + ".old")),
):
    try:
        act(*paths)
        print("ESCAPED", act.__name__)
    except OSError as error:
        print(error)
