# Tries to send a UDP datagram to a loopback port.
import socket

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"evil", ("127.0.0.1", TARGETS["udp"]))
print("ESCAPED")
