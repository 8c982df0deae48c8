"""The first to see a request to the console: nothing is given without a sign-in, and with one only what is listed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from study_app.domain.sentences import REFUSALS
from study_app.secrets.console_boards import SEEN_BY
from study_app.web.admission import addresses
from study_app.web.admission.limits import DoorLimits
from study_app.web.admission.page_messages import PageMessages
from study_app.web.pages import page
from study_app.web.requests import error
from study_app.web.routes.researcher import console

OPEN = frozenset({("GET", "/login"), ("HEAD", "/login"), ("POST", "/login")}) | {
    (method, addresses.HEALTH) for method in addresses.READING
}
"""What needs no sign-in."""
OF_A_PROVIDER = ("/auth/login", "/auth/logout", "/oauth2callback")
BOARDS = frozenset({"/", *(f"/{path}" for path in SEEN_BY)})
"""Addresses of the pages that Streamlit draws."""
STREAMLITS = (addresses.HOST_CONFIG, addresses.STREAMLITS_HEALTH, addresses.ICON)
DOWNLOADS = "/media/"
"""Files that a board makes for its button, below names that cannot be guessed."""
_POLICY_VIOLATION = 1008


@lru_cache(maxsize=1)
def oidc() -> bool:
    """Return whether sign-in by an identity provider is configured: `[auth]` in Streamlit's secrets."""
    import streamlit as st
    from streamlit.errors import StreamlitSecretNotFoundError

    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError:
        return False


class SignInGate:
    """Lets nothing through to pages, assets, data or the websocket without a sign-in.

    With an identity provider, the page with its button has to be reached: that page, its files and the websocket that
    draws it are then open, and the script and each route ask for the cookie, which the provider's word is traded for
    (see study_app/ui/console/app.py).
    """

    def __init__(self, app: ASGIApp, routes: Sequence[Route], limits: DoorLimits | None = None) -> None:
        self.app = app
        self.routes = routes
        self.limits = limits or DoorLimits()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            response = await self._answer(scope)
            await (response or self.app)(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._page(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Connect a page with Streamlit."""
        opens = addresses.may_open_a_socket(HTTPConnection(scope))
        if not opens or not await self._may_draw(scope):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        messages = PageMessages(receive, send, lambda size: 0.0)
        await self.app(scope, messages.receive, messages.send)

    async def _may_draw(self, scope: Scope) -> bool:
        """Return whether a websocket may be opened: by a sign-in, or for the button of an identity provider."""
        return await _signed_in(scope) or (oidc() and not self._wait(scope))

    async def _answer(self, scope: Scope) -> Response | None:
        """Return what the gate says itself, or None to let the request pass."""
        if scope["path"] == addresses.HEALTH:
            return None if addresses.reads(scope) else _nowhere(scope)
        opens = (scope["method"], scope["path"]) in OPEN
        signed_in = not opens and await _signed_in(scope)
        # Before anything that costs: also whose request leads nowhere is counted.
        if not signed_in and (wait := self._wait(scope)):
            return _too_often(scope, wait)
        if opens:
            return None
        if not (oidc() and _of_the_first_page(scope)) and not signed_in:
            return _turned_away(scope)
        if not addresses.reads(scope) and addresses.from_elsewhere(HTTPConnection(scope)):
            return error(403, REFUSALS("other_origin"))
        return None if self._is_there(scope) else _nowhere(scope)

    def _wait(self, scope: Scope) -> float:
        """Seconds until a request without a sign-in may come; 0 where it may pass."""
        client = scope.get("client")
        return self.limits.stranger(client[0] if client else "", signs_in=_brings_a_word(scope))

    def _is_there(self, scope: Scope) -> bool:
        if addresses.has_route(scope, self.routes):
            return True
        return _of_the_first_page(scope) or (addresses.reads(scope) and scope["path"].startswith(DOWNLOADS))


def _of_the_first_page(scope: Scope) -> bool:
    """Return whether it is a page that Streamlit draws, or what such a page needs."""
    path = scope["path"]
    is_page = path in BOARDS or path in STREAMLITS or (oidc() and path in OF_A_PROVIDER)
    return addresses.reads(scope) and (is_page or addresses.is_file(scope))


def _brings_a_word(scope: Scope) -> bool:
    """Whether a request may become a sign-in: a password, a provider's word, or the ticket that it was traded for."""
    if scope["path"] == "/login":
        return scope["method"] == "POST" or b"ticket=" in scope.get("query_string", b"")
    return oidc() and addresses.reads(scope) and scope["path"] in OF_A_PROVIDER


def _too_often(scope: Scope, wait: float) -> Response:
    """429, and when to come again."""
    seconds = max(1, round(wait))
    words = f"That was too many requests from your network in a short time. Try again in {seconds} seconds."
    if _wants_a_page(scope) or scope["path"] == "/login":
        answer: Response = page("Research console", f"<h1>Please wait a moment</h1><p>{words}</p>", 429)
    else:
        answer = JSONResponse({"error": words, "reason": "rate", "retry_after": seconds}, status_code=429)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _wants_a_page(scope: Scope) -> bool:
    return addresses.reads(scope) and b"text/html" in dict(scope["headers"]).get(b"accept", b"")


def _turned_away(scope: Scope) -> Response:
    if _wants_a_page(scope):
        return RedirectResponse("/login", status_code=303)
    return JSONResponse({"error": "sign in to the console first"}, status_code=401)


def _nowhere(scope: Scope) -> Response:
    if _wants_a_page(scope):
        return page("Research console", '<h1>There is no such page</h1><p><a href="/">Open the console</a></p>', 404)
    return error(404, REFUSALS("no_address"))


async def _signed_in(scope: Scope) -> bool:
    # In a thread, for accounts are a file, which may lie on a slow disk.
    return await run_in_threadpool(console.who, _cookie(scope)) is not None


def _cookie(scope: Scope) -> str | None:
    # Not by `http.cookies`, which reads no cookie at all where another site's one breaks its grammar.
    return HTTPConnection(scope).cookies.get(console.COOKIE)
