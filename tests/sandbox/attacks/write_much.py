# Tries to write 120 MB somewhere.
import tempfile

with tempfile.TemporaryFile() as file:
    for _ in range(120):
        file.write(b"x" * 1_000_000)
print("ESCAPED")
