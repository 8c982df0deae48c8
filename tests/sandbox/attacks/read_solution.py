# Tries to read the pack's solution and checks from their files.
import os

for name in ("solution.py", "checks.py", "task.toml"):
    try:
        print("ESCAPED", open(os.path.join(TARGETS["pack"], name)).read()[:20])
    except OSError as error:
        print(error)
