# Tries to make what is loaded next obey variables: loader, allocator, Python, OpenSSL, locale.
# Family: environment
import os, ctypes

for name in ("LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "OPENSSL_CONF", "GCONV_PATH", "LOCPATH", "HOSTALIASES", "TMPDIR", "MALLOC_TRACE", "NLSPATH"):
    os.environ[name] = TARGETS["folder"]
import importlib, site, locale, tempfile

importlib.invalidate_caches()
for attempt in (
    lambda: importlib.import_module("other"),
    lambda: tempfile.TemporaryFile().write(b"x"),
    lambda: tempfile.mkstemp(),
    lambda: tempfile.mkdtemp(),
    lambda: tempfile.NamedTemporaryFile(),
    lambda: ctypes.CDLL("other.py"),
):
    try:
        print("ESCAPED", attempt())
    except Exception as error:
        print(type(error).__name__)
