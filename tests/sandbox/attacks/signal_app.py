# Tries to signal the app (signal 0 asks for permission only).
import os

os.kill(TARGETS["pid"], 0)
print("ESCAPED")
