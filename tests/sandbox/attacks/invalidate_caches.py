# Tries to find packages after throwing away what the import system remembers.
import importlib, sys

importlib.invalidate_caches()
sys.path_importer_cache.clear()
for folder in TARGETS["site"]:
    sys.path.insert(0, folder)
for name in ("streamlit", "anthropic", "sqlmodel"):
    try:
        __import__(name)
        print("ESCAPED", name)
    except ImportError as error:
        print(error)
