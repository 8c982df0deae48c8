# Tries to overwrite another participant's program.
import os

for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_WRONLY | os.O_APPEND):
    try:
        os.write(os.open(TARGETS["submission"], flags), b"evil")
        print("ESCAPED", flags)
    except OSError as error:
        print(error)
