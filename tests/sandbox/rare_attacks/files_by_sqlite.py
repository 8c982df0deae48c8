# Tries to read and write files through SQLite: open, attach, back up, load a library, spill to disk.
# Family: files
try:
    import sqlite3
except ImportError:
    raise SystemExit
path, folder = TARGETS["database"], TARGETS["folder"]
memory = sqlite3.connect(":memory:")
for attempt in (
    lambda: sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("SELECT 1 FROM sqlite_master").fetchall(),
    lambda: sqlite3.connect(path).execute("PRAGMA user_version").fetchall(),
    lambda: memory.execute("ATTACH ? AS other", (path,)),
    lambda: memory.execute("VACUUM INTO ?", (folder + "/planted",)),
    lambda: memory.backup(sqlite3.connect(folder + "/planted")),
    lambda: memory.execute("PRAGMA temp_store_directory = '/tmp'") and None,
    lambda: memory.enable_load_extension(True) or memory.load_extension(path),
):
    try:
        if (got := attempt()) is not None:
            print("ESCAPED", got)
    except Exception as error:
        print(error)
