"""Answer addresses without a route in JSON: Streamlit would send its page with a 200 to any address."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from study_app.domain.sentences import REFUSALS
from study_app.web.requests import error

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def strangers(routes: Sequence[Route]) -> list[Route]:
    """Return the routes to put behind these: 405 for another method, 404 for another path under /api."""
    allowed: dict[str, set[str]] = {}
    for known in routes:
        # Several routes share a path, one for each method.
        allowed.setdefault(known.path, set()).update(known.methods or ())

    async def stranger(request: Request) -> Response:
        methods = ", ".join(sorted(allowed.get(request.url.path, ())))
        if not methods:
            return error(404, REFUSALS("no_address"))
        answer = error(405, f"{request.method} is not for this address; use {methods}")
        answer.headers["Allow"] = methods
        return answer

    paths = {path for path in allowed if not path.startswith("/api/")}
    return [Route(path, stranger, methods=METHODS) for path in (*sorted(paths), "/api/{rest:path}")]
