"""How many requests there were, how long each took to its first byte, and which failed."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from study_app.services.operation.metrics import Metrics

log = logging.getLogger(__name__)

SLOW_SECONDS = 5.0
"""From here on a request is worth a line in the log."""


class RequestFigures:
    """ASGI middleware around everything of an app.

    Args:
        app: the app.
        metrics: where it counts.
        routes: the paths that are named; all others are one, since anybody can invent paths.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Collection[str]) -> None:
        self.app = app
        self._metrics = metrics
        self._routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.monotonic()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope, int(message["status"]), time.monotonic() - began)
            await send(message)

        await self.app(scope, receive, counted)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        # A name of an address by which people are known would stand in the metrics, and each new one takes memory for
        # ever.
        route = scope["path"] if scope["path"] in self._routes else "other"
        method = scope["method"] if scope["method"] in ("GET", "POST", "HEAD") else "other"
        self._metrics.count("study_requests_total", route=route, method=method, status=f"{status // 100}xx")
        self._metrics.observe("study_request_seconds", seconds, route=route)
        # Events wait for the commit, and a chat for its first word: those have histograms.
        if seconds > SLOW_SECONDS and route != "/api/chat":
            extra = {"route": route, "method": method, "status": status, "seconds": round(seconds, 3)}
            log.warning("a request was slow", extra=extra)
