# Tries to say on the report pipe what only the server's side says: ends, figures, other runs' frames.
# Family: forged reports
import os, struct

bodies = (b"", b"{}", b"null", b"[]", b'{"left": true}', b'{"error": {"type": "X", "message": "y", "line": 1e400}}', b"\xff" * 300, b'{"observation": {"nonce": "x", "value": {"$float": "nan"}}}', b"[" * 5000)
for kind in range(256):
    for body in bodies:
        try:
            os.write(3, bytes([kind]) + len(body).to_bytes(2, "little") + body[:3000])
        except OSError:
            pass
os.write(3, b"\x03\xff\xff" + b"x" * 100)
os._exit(0)
