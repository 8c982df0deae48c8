# Tries to delete, rename and open up its working folder and the app's.
import os

for attempt in (
    lambda: os.rmdir("."),
    lambda: os.chmod(".", 0o777),
    lambda: os.rename(TARGETS["database"], TARGETS["database"] + "x"),
    lambda: os.remove(TARGETS["submission"]),
    lambda: os.mkdir(TARGETS["folder"] + "/evil"),
    lambda: os.chmod(TARGETS["database"], 0o777),
    lambda: os.truncate(TARGETS["database"], 0),
    lambda: os.utime(TARGETS["database"], (0, 0)),
    lambda: os.setxattr(TARGETS["database"], "user.x", b"1"),
    lambda: os.chown(TARGETS["database"], os.getuid(), -1),
    lambda: os.mkfifo(TARGETS["folder"] + "/evil-fifo"),
):
    try:
        attempt()
        print("ESCAPED")
    except OSError as error:
        print(error)
