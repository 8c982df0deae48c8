"""Websockets of participants' pages: some for each person, so that no one takes all connections of the server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from study_app.web.admission.page_messages import PageMessages

MOST = 8
"""Of one participant: two tabs and a second window, each reloaded while what it left behind is not yet noticed."""
_TRY_AGAIN_LATER = 1013


class PageSockets:
    """Open websockets by participant."""

    def __init__(self) -> None:
        self._open: dict[str, list[PageMessages]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        """Kept, for the loop alone would forget them."""

    @contextmanager
    def one_of(self, who: str, messages: PageMessages) -> Iterator[None]:
        """Count a websocket while it is open; over the limit the one that was heard from longest ago is ended.

        Not the new one: on a connection that breaks often, the old ones are those that no page holds any more.
        """
        messages.heard_at = asyncio.get_running_loop().time()
        mine = self._open.setdefault(who, [])
        mine.append(messages)
        if len(mine) > MOST:
            oldest = min(mine[:-1], key=lambda each: each.heard_at)
            mine.remove(oldest)
            # In the background: its client may take nothing, and the new page must not wait for that.
            task = asyncio.create_task(oldest.end(_TRY_AGAIN_LATER))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        try:
            yield
        finally:
            if messages in mine:
                mine.remove(messages)
            if not mine and self._open.get(who) is mine:
                del self._open[who]
