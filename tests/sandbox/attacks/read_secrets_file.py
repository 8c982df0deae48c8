# Tries to read the app's .env file by a path with dots.
import os

folder, name = os.path.split(TARGETS["secrets"])
print("ESCAPED", open(os.path.join(folder, ".", "..", os.path.basename(folder), name)).read())
