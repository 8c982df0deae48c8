# Tries to open 3000 descriptors.
import os

made = 0
try:
    for _ in range(3000):
        os.dup(0)
        made += 1
except OSError as error:
    print(error)
if made > 200:
    print("ESCAPED", made)
