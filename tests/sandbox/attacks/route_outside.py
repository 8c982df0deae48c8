# Tries to find a route to an outside address, over IPv4, IPv6 and a name.
import socket

for family, address in ((socket.AF_INET, ("192.0.2.1", 9)), (socket.AF_INET6, ("2001:db8::1", 9))):
    try:
        socket.socket(family, socket.SOCK_DGRAM).connect(address)
        print("ESCAPED", address)
    except OSError as error:
        print(error)
try:
    print("ESCAPED", socket.getaddrinfo("example.org", 80))
except OSError as error:
    print(error)
