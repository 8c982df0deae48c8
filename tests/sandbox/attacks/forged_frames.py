# Tries to send the server frames that no program sends: figures, reports and beats with lengths and content of its choice.
import json
import os
import struct
import zlib


def frame(tag, data):
    return struct.pack("<BH", tag, len(data)) + data


def chunk(name, data):
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def figure(data):
    return frame(5, len(data).to_bytes(4, "big") + data)


size = struct.pack(">IIBBBBB", 1500, 1500, 8, 6, 0, 0, 0)
bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"\0" * 10**6)) + chunk(b"IEND", b"")
call = {"nonce": "x", "value": {"$set": [1] * 5000}, "lines": [[0, "x"]] * 2000, "seconds": 10**300, "threads": -1}
SENT = (
    figure(bomb),
    figure(b"<svg onload=alert(1)>"),
    frame(3, b""),
    frame(3, b"{}{}"),
    frame(3, json.dumps({"error": {"type": "x" * 5000, "message": "\u202e\x1b[2J", "line": 1e308}}).encode()),
    frame(3, json.dumps({"ended_by": "infrastructure", "isolation": "strong+", "marks": {"a": 1}, "exit": []}).encode()),
    frame(3, b'{"error": {"type": "\\ud800"}}\xff\xfe\x00'),
    frame(3, json.dumps({"reported": call}).encode()[:60_000]),
    frame(3, b"[" * 60_000),
    frame(4, b""),
    frame(4, b"x" * 60_000),
    frame(2, b"\x1b]0;x\x07\xc2\x9b31m\r\n") + frame(1, "\u2028\u202e\x00\n".encode()),
    frame(5, b"\xff\xff\xff\xff" + b"x" * 100),
    frame(5, b"y" * 60_000) * 20,
    frame(9, b"x"),
    struct.pack("<BH", 1, 65535) + b"x",
)
for descriptor in range(3, 24):
    for data in SENT:
        try:
            os.set_blocking(descriptor, False)
            os.write(descriptor, data)
        except OSError:
            pass
