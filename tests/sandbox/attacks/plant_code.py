# Tries to plant code where later runs would import it.
import os, sys

places = [os.path.dirname(os.__file__), os.path.dirname(sys.modules["trio"].__file__), *sys.path]
for place in places:
    for name in ("sitecustomize.py", "__pycache__/os.cpython-311.pyc", "trio.py"):
        try:
            open(f"{place}/{name}", "w").write("evil")
            print("ESCAPED", place)
        except OSError as error:
            print(error)
