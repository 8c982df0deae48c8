# Tries to move into the app's folder, to make it the root, and to look round from there.
import os

for act in (
    lambda: os.chroot(TARGETS["folder"]),
    lambda: os.chdir(TARGETS["folder"]) or open("study.db").read(),
    lambda: os.chdir(TARGETS["folder"]) or os.listdir("."),
    lambda: os.chdir(f"/proc/{TARGETS['pid']}/cwd") or os.listdir("."),
    lambda: os.chdir(f"/proc/{TARGETS['pid']}/root") or os.listdir("."),
    lambda: os.listdir("/proc/self/root"),
):
    try:
        print("ESCAPED", act())
    except OSError as error:
        print(error)
