# Tries to open the app's files through its descriptors in /proc.
import os

for number in os.listdir(f"/proc/{TARGETS['pid']}/fd"):
    print("ESCAPED", open(f"/proc/{TARGETS['pid']}/fd/{number}", "rb").read(10))
