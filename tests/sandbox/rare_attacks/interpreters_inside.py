# Tries to start interpreters inside the interpreter, without end, and to reach files from one that knows no walls.
# Family: threads that outlive
import os

try:
    import _xxsubinterpreters as inside
except ImportError:
    import _interpreters as inside
made = []
code = f"""
import os
for path in {[TARGETS[name] for name in ("database", "secrets", "submission")]!r}:
    try:
        os.write(1, b"ESCAPED " + open(path, "rb").read())
    except OSError:
        pass
try:
    os.fork()
    os.write(1, b"ESCAPED by a fork")
except OSError:
    pass
"""
while len(made) < 3000:
    try:
        made.append(inside.create())
        inside.run_string(made[-1], code if len(made) < 3 else "held = bytearray(1_000_000)")
    except BaseException:
        break
if len(made) >= 3000:
    os.write(1, b"ESCAPED: 3000 interpreters")
