# Tries to find an earlier run's program in inherited memory.
import gc, sys, linecache

marker = "".join(["MARKER", "-OF", "-AN-EARLIER-RUN"])
seen = [value for value in gc.get_objects() if isinstance(value, (dict, list, tuple))]
for value in seen:
    if value is globals() or value is seen:
        continue
    items = list(value.values()) if isinstance(value, dict) else list(value)
    for item in items:
        if (
            isinstance(item, (str, bytes))
            and len(item) < 200_000
            and marker in (item if isinstance(item, str) else item.decode("latin-1"))
            and item is not marker
        ):
            print("ESCAPED", item[:80])
