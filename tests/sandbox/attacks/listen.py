# Tries to listen on a TCP port.
import socket

s = socket.socket()
s.bind(("0.0.0.0", 0))
s.listen()
print("ESCAPED")
