# Tries to link the database to another place and read it there.
import os

os.link(TARGETS["database"], "/tmp/evil-hard-link")
print("ESCAPED", open("/tmp/evil-hard-link").read())
