"""What a participant's page may say over Streamlit's websocket: the few kinds of messages that the app uses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import Message, Receive, Send

TAKEN = frozenset({"rerun_script", "stop_script", "app_heartbeat"})
"""Kinds of messages that reach Streamlit. It knows others, among them one that empties everybody's caches."""
_NOT_TAKEN, _TOO_OFTEN = 1003, 1008


class PageMessages:
    """Reads what a page sends before Streamlit does; ends a connection that sends anything else.

    Args:
        receive, send: of the connection.
        wait: seconds until a message of so many bytes may come; 0 where it may now.
    """

    def __init__(self, receive: Receive, send: Send, wait: Callable[[int], float]) -> None:
        self._receive = receive
        self._send = send
        self._wait = wait
        self._over = asyncio.Event()
        self.heard_at = 0.0
        """By the loop's clock: when the page said something last, or began."""

    async def receive(self) -> Message:
        """Return the next message that the app uses.

        Kinds that pages may send and the app does not use are left out.
        """
        # Read on and not answered: Streamlit's protocol has no refusal of one message.
        while (message := await self._next()) is not None:
            if message["type"] != "websocket.receive":
                return message
            data = message.get("bytes")
            kind = None if data is None else kind_of(data)
            if kind is None:
                await self.end(_NOT_TAKEN)
            elif self._wait(len(data or b"")):
                await self.end(_TOO_OFTEN)
            elif kind in TAKEN:
                return message
        return {"type": "websocket.disconnect", "code": _TOO_OFTEN}

    async def send(self, message: Message) -> None:
        """Pass on what Streamlit says, unless the connection was ended here."""
        if not self._over.is_set():
            await self._send(message)

    async def end(self, code: int) -> None:
        """End the connection; Streamlit learns it at once, whether or not the page ever does."""
        if not self._over.is_set():
            self._over.set()
            await self._send({"type": "websocket.close", "code": code})

    async def _next(self) -> Message | None:
        """Return what the page says next, or None where the connection is ended here before."""
        said = asyncio.ensure_future(self._receive())
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait((said, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
            if not said.done():
                said.cancel()
        self.heard_at = asyncio.get_running_loop().time()
        return None if self._over.is_set() else said.result()


def kind_of(data: bytes) -> str | None:
    """Return the kind of a page's message, or None for bytes that are not one."""
    # Here and not at the top: the commands that serve nothing must not load Streamlit, which takes a second.
    from google.protobuf.message import DecodeError
    from streamlit.proto.BackMsg_pb2 import BackMsg

    message = BackMsg()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return None
    kind: str | None = message.WhichOneof("type")
    return kind
