# Tries to flood the output by a handler of unwritable characters that gives a hundred thousand for each.
# Family: replaced functions
import codecs, sys

for name in ("backslashreplace", "strict", "replace", "surrogateescape", "namereplace"):
    codecs.register_error(name, lambda error: ("x" * 100_000, error.end))
for stream in (sys.stdout, sys.stderr):
    for _ in range(200):
        try:
            stream.write("\ud800" * 50 + "\n")
        except BaseException:
            pass
raise type("E\ud800" * 3, (Exception,), {})("\ud800" * 1000)
