# Tries to flood the pipe of its report with 50 MB of nested brackets.
import os

for _ in range(50):
    os.write(3, b"[" * 1_000_000)
