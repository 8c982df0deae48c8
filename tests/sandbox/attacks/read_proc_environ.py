# Tries to read the app's environment in /proc.
print("ESCAPED", open(f"/proc/{TARGETS['pid']}/environ", "rb").read())
