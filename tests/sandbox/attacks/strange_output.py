# Tries to send NULs, escapes and invalid UTF-8 to the screen (the driver looks at what would be shown).
import os

os.write(1, b"\x00\x1b]0;evil\x07\x1b[2J\xff\xfe\xc3\x28\r\x08\x9b31m\n" + "\u202eevil\n".encode())
os.write(2, b"\x00\x1b[31m\xff" * 100)
