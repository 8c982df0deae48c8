# Tries to write to every descriptor, to speak in another run's name.
import os

for number in range(3, 2048):
    try:
        os.write(number, b'{"error": {"type": "FORGED"}}')
        if number > 3:
            print("ESCAPED", number)
    except OSError:
        pass
