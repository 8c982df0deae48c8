# Tries to read another participant's program from its file.
print("ESCAPED", open(TARGETS["submission"]).read())
