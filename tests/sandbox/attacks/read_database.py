# Tries to read the app's database file.
print("ESCAPED", open(TARGETS["database"]).read())
