# Tries to connect to the database's unix socket.
import socket

s = socket.socket(socket.AF_UNIX)
s.connect(TARGETS["unix"])
print("ESCAPED")
