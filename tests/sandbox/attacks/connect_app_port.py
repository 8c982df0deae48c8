# Tries to connect to the app's own TCP port.
import socket

s = socket.create_connection(("127.0.0.1", TARGETS["tcp"]), 2)
print("ESCAPED")
