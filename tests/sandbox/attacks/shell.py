# Tries to run a shell command in every way that Python has.
import os, subprocess

for attempt in (
    lambda: subprocess.run(["/bin/true"], check=True),
    lambda: os.posix_spawn("/bin/true", ["true"], {}),
    lambda: os.popen("true").close(),
    lambda: 1 / (os.system("true") == 0),
):
    try:
        attempt()
        print("ESCAPED")
    except (OSError, ZeroDivisionError) as error:
        print(error)
