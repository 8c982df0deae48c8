# Tries to find an earlier run's program in all memory near Python's objects, byte by byte.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
import gc, hashlib

rest, digest = len("-AN-EARLIER-RUN"), hashlib.sha256("".join(["-AN", "-EARLIER", "-RUN"]).encode()).digest()
start = "".join(["MARKER", "-OF"]).encode()
libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
state = ctypes.create_string_buffer(1)
blocks = {id(thing) >> 18 for thing in gc.get_objects()} | {id(value) >> 18 for value in globals().values()}
found = scanned = 0
last, tail = 0, b""
for block in sorted(blocks | {block + 1 for block in blocks} | {block - 1 for block in blocks}):
    for page in range(block << 18, (block + 1) << 18, 4096):
        if page <= 0 or libc.mincore(page, 4096, state) != 0:
            continue
        # With the end of the page before: what is looked for may lie across the border of two.
        data = (tail if last == page - 4096 else b"") + ctypes.string_at(page, 4096)
        last, tail = page, data[-len(start) - rest + 1 :]
        scanned += 1
        place = data.find(start)
        while place >= 0:
            end = place + len(start)
            found += hashlib.sha256(data[end : end + rest]).digest() == digest
            place = data.find(start, end)
print(scanned, "pages")
if found or scanned < 1000:
    print("ESCAPED", found)
