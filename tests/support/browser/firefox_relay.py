"""Starts an installed Firefox for Playwright and stands between the two.

    python firefox_relay.py FIREFOX ARGUMENTS...

Playwright speaks WebDriver BiDi to an installed Firefox, and begins each context with a command that Firefox releases
of today do not know. It is answered here, as done; everything else goes through as it is.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys

import websockets
from websockets.asyncio.server import ServerConnection

NOT_YET = {"emulation.setMediaFeaturesOverride"}
"""Commands that are answered and not passed on; pages then have Firefox's own default, the light scheme."""
READY = "WebDriver BiDi listening on "


async def relay(client: ServerConnection, address: str) -> None:
    """Pass everything on between one client and the browser until either side closes."""
    assert client.request is not None
    async with websockets.connect(address + client.request.path, max_size=None) as browser:

        async def forth() -> None:
            async for message in client:
                command = json.loads(message)
                if command.get("method") in NOT_YET:
                    await client.send(json.dumps({"type": "success", "id": command["id"], "result": {}}))
                else:
                    await browser.send(message)
            await browser.close()

        async def back() -> None:
            async for message in browser:
                await client.send(message)
            await client.close()

        await asyncio.gather(forth(), back(), return_exceptions=True)


async def main(command: list[str]) -> int:
    pipe = asyncio.subprocess.PIPE
    firefox = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    assert firefox.stdout is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, firefox.terminate)
    async for line in firefox.stdout:
        found = re.search(re.escape(READY) + r"(ws://\S+)", line.decode())
        if found:
            break
    else:
        return await firefox.wait()

    async def serve(client: ServerConnection) -> None:
        await relay(client, found[1])

    async with websockets.serve(serve, "127.0.0.1", 0, max_size=None) as server:
        port = server.sockets[0].getsockname()[1]
        sys.stderr.write(f"{READY}ws://127.0.0.1:{port}\n")
        sys.stderr.flush()
        async for _ in firefox.stdout:
            pass
        return await firefox.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
