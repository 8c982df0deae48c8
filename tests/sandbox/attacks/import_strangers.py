# Tries to import installed packages that the pack does not name.
for name in ("numpy", "streamlit", "sqlmodel", "anthropic", "pip", "setuptools"):
    try:
        __import__(name)
        print("ESCAPED", name)
    except ImportError as error:
        print(error)
