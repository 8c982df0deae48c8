# Tries to print 100 MB (the driver looks at what the parent kept).
for _ in range(1000):
    print("x" * 100_000)
print("ESCAPED")
