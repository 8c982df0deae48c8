# Tries to allocate and touch 800 MB.
held = []
for _ in range(80):
    held.append(bytearray(b"x" * 10_000_000))
print("ESCAPED", len(held))
