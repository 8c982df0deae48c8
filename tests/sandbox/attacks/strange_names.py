# Tries to create files with long names and line breaks in them.
import os

for name in ("x" * 255, "a\nb", "-rf", "\x1b[2J"):
    try:
        open(f"{TARGETS['folder']}/{name}", "w")
        print("ESCAPED")
    except OSError as error:
        print(error.errno)
