# Tries to connect, listen and start processes by asyncio's and Trio's own ways.
# Family: sockets
import asyncio, trio

port, unix = TARGETS["tcp"], TARGETS["unix"]


async def nothing(*args):
    pass


async def by_asyncio():
    for attempt in (
        lambda: asyncio.open_connection("127.0.0.1", port),
        lambda: asyncio.open_unix_connection(unix),
        lambda: asyncio.start_server(nothing, "127.0.0.1", 0),
        lambda: asyncio.start_unix_server(nothing, "/tmp/s"),
        lambda: asyncio.create_subprocess_exec("/bin/true"),
        lambda: asyncio.create_subprocess_shell("true"),
        lambda: asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("127.0.0.1", TARGETS["udp"])),
    ):
        try:
            got = await asyncio.wait_for(attempt(), 0.3)
            if getattr(got, "sockets", True):
                print("ESCAPED", got)
        except BaseException as error:
            print(type(error).__name__)


async def by_trio():
    for attempt in (
        lambda: trio.open_tcp_stream("127.0.0.1", port),
        lambda: trio.open_unix_socket(unix),
        lambda: trio.open_tcp_listeners(0),
        lambda: trio.run_process(["/bin/true"]),
        lambda: trio.socket.getaddrinfo("study.invalid", 80),
    ):
        try:
            with trio.fail_after(0.3):
                print("ESCAPED", await attempt())
        except BaseException as error:
            print(type(error).__name__)


asyncio.run(by_asyncio())
trio.run(by_trio)
