"""Which addresses of each app there are, by method, and who may use each; what is not on a list is not there.

Streamlit has some for uploads, media, metrics and agents, and sends its page to any other address: nothing reaches it
but what a list names.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from starlette.requests import HTTPConnection
from starlette.routing import Match, Route
from starlette.types import Scope

from study_app.domain.addresses import same_site
from study_app.web import shell
from study_app.web.assets import FILES
from study_app.web.requests import host_of

READING = ("GET", "HEAD")
WEBSOCKET = "/_stcore/stream"
HOST_CONFIG = "/_stcore/host-config"
STREAMLITS_HEALTH = "/_stcore/health"
ICON = "/favicon.png"
HEALTH = "/healthz"
MONITORED = (HEALTH, "/readyz", "/metrics")
"""Asked as often as a monitor likes: the answers are kept for some seconds."""


def reads(scope: Scope) -> bool:
    """Return whether a request changes nothing."""
    return scope["method"] in READING


def is_file(scope: Scope) -> bool:
    """Return whether a file is asked for whose address names its content."""
    return reads(scope) and FILES.get(scope["path"].lstrip("/")) is not None


@lru_cache(maxsize=1)
def newcomers_files() -> frozenset[str]:
    """Addresses of the files that the welcome page fetches ahead, for people who do not take part yet."""
    return frozenset(address.removeprefix(".") for address in shell.wanted_soon())


def has_route(scope: Scope, routes: Iterable[Route]) -> bool:
    """Return whether one of these routes is for this path and method."""
    return any(route.matches(scope)[0] is Match.FULL for route in routes)


def from_elsewhere(connection: HTTPConnection) -> bool:
    """Return whether a page of another site asks."""
    origin = connection.headers.get("origin")
    # Browsers send an origin with each POST: a request without one comes from no page of another site.
    return origin is not None and not same_site(origin, host_of(connection))


def may_open_a_socket(connection: HTTPConnection) -> bool:
    """Return whether it is Streamlit's websocket, asked for by a page of this site.

    Browsers send an origin with every websocket; a page of another site could otherwise open one with the cookie, and
    Streamlit would ask another host for our address to judge a foreign origin.
    """
    is_streamlits: bool = connection.scope["path"] == WEBSOCKET
    return is_streamlits and "origin" in connection.headers and not from_elsewhere(connection)
