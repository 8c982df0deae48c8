# Tries to have lines of other files shown in a traceback, as the text of the program's own lines.
# Family: files
import linecache, sys, traceback, warnings

shown = []
for path in (TARGETS["database"], TARGETS["secrets"], TARGETS["submission"], TARGETS["pack"] + "/solution.py", TARGETS["pack"] + "/checks.py"):
    for line in (1, 2, 5):
        try:
            exec(compile("\n" * (line - 1) + "raise ValueError", path, "exec"))
        except ValueError:
            shown.append(traceback.format_exc())
        shown.append(linecache.getline(path, line))
        shown.append(warnings.formatwarning("x", Warning, path, line))
whole = "".join(shown)
if TARGETS["secret"] in whole or "trio.open_nursery" in whole or "def " in whole:
    print("ESCAPED", whole[-300:])
exec(compile("raise ValueError", TARGETS["secrets"], "exec"))
