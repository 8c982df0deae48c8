# Tries to reach the app, a name server and a log by libraries that open sockets for their caller.
# Family: sockets
import http.client, logging.handlers, socket, ssl, urllib.request, xmlrpc.client, smtplib, ftplib, poplib

port, unix = TARGETS["tcp"], TARGETS["unix"]
for attempt in (
    lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1),
    lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect(),
    lambda: socket.getaddrinfo("example.org", 80),
    lambda: socket.gethostbyname("study.invalid"),
    lambda: socket.create_server(("127.0.0.1", 0)),
    lambda: socket.if_nameindex(),
    lambda: smtplib.SMTP("127.0.0.1", port, timeout=1),
    lambda: ftplib.FTP("127.0.0.1", timeout=1),
    lambda: logging.handlers.SysLogHandler(address="/dev/log").socket.send(b"x"),
    lambda: xmlrpc.client.ServerProxy(f"http://127.0.0.1:{port}").x(),
    lambda: ssl.get_server_certificate(("127.0.0.1", port)),
):
    try:
        print("ESCAPED", attempt())
    except Exception as error:
        print(type(error).__name__)
