# Tries to fill the memory by what unpacks to gigabytes.
# Family: memory
import bz2, lzma, zlib

packed = zlib.compress(bytes(1 << 24), 9)
for one, all_of_them in ((zlib, lambda: zlib.decompress(zlib.compress(packed * 8)) and b"".join(zlib.decompress(packed) for _ in range(128))), (bz2, lambda: b"".join(bz2.decompress(bz2.compress(bytes(1 << 24))) for _ in range(128))), (lzma, lambda: lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]))):
    try:
        got = all_of_them()
        if isinstance(got, bytes) and len(got) > 1 << 30:
            print("ESCAPED", one.__name__, len(got))
        if isinstance(got, lzma.LZMADecompressor):
            print("ESCAPED: a dictionary of a gigabyte")
    except (MemoryError, OSError, lzma.LZMAError, ValueError):
        pass
