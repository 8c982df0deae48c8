# Tries to connect to an abstract unix socket.
import socket

s = socket.socket(socket.AF_UNIX)
s.connect("\0" + TARGETS["abstract"])
print("ESCAPED")
