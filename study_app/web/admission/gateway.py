"""The first to see a request: who may pass, how often, and what is answered at once."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from study_app.bootstrap import App
from study_app.domain.errors import StudyError, UnknownParticipant
from study_app.domain.sentences import REFUSALS
from study_app.services.researcher.links import SHORT
from study_app.web import shell
from study_app.web.admission import addresses
from study_app.web.admission.limits import RequestLimits, hashed
from study_app.web.admission.page_messages import PageMessages
from study_app.web.admission.page_sockets import PageSockets
from study_app.web.requests import COOKIE, MAX_BODY, asked_by, error
from study_app.web.routes import answers, chat, enter, events, runs
from study_app.web.texts import speak_to, text

HOST_CONFIG = {
    "allowedOrigins": [],
    "useExternalAuthToken": False,
    "enableCustomParentMessages": False,
    "enforceDownloadInNewTab": False,
    "metricsUrl": "",
    # A dialog about a lost connection would take the focus while a participant is typing; the workspace says it itself.
    "blockErrorDialogs": True,
    "disableFullscreenMode": True,
    "resourceCrossOriginMode": None,
}
"""What Streamlit's page asks for at its start."""

STREAMLITS: dict[str, Callable[[], Response] | None] = {
    addresses.HOST_CONFIG: lambda: JSONResponse(HOST_CONFIG),
    addresses.STREAMLITS_HEALTH: lambda: PlainTextResponse("ok", headers={"Cache-Control": "no-cache"}),
    addresses.ICON: None,
}
"""What a participant's page reads of Streamlit's besides its files -> our answer, or None for Streamlit's."""

FAST_PATHS = {
    (method, one.path): one.endpoint
    for one in (*events.ROUTES, *answers.ROUTES, *runs.ROUTES, *chat.ROUTES)
    for method in one.methods or ()
    if method == "POST"
}
"""Requests that the gateway answers itself: sessions, compression and path checks are for Streamlit's pages, and a
streamed line must not wait in a compressor."""

_POLICY_VIOLATION = 1008


class ParticipantGateway:
    """Lets pass what the app uses, to those who take part, as often as people do.

    It answers the hot paths at once. It shows the welcome page at `/` to a browser that does not take part yet, and the
    page that Streamlit draws into to one that does; Streamlit only ever draws for participants.
    """

    def __init__(self, app: ASGIApp, study: App, paths: frozenset[str], limits: RequestLimits) -> None:
        self.app = app
        self.study = study
        self.paths = paths
        self.limits = limits
        self.sockets = PageSockets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "websocket":
            await self._page(HTTPConnection(scope), receive, send)
            return
        response = await self._answer(scope, receive, send) if scope["type"] == "http" else None
        await (response or self.app)(scope, receive, send)

    async def _page(self, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        """Connect a participant's page with Streamlit."""
        if not await self._may_connect(connection):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        cookie = _cookie(connection)
        # Where the database was busy it is not known who it is: then the cookie stands for them.
        who, wait = self.limits.known.owner(cookie) or cookie.hex(), self.limits.participant
        # Counted message by message, for one websocket carries as many as its page likes.
        messages = PageMessages(receive, send, lambda size: wait(who, addresses.WEBSOCKET, size))
        with self.sockets.one_of(who, messages):
            await self.app(connection.scope, messages.receive, messages.send)

    async def _may_connect(self, connection: HTTPConnection) -> bool:
        if not addresses.may_open_a_socket(connection):
            return False
        return await self._known(connection) and not self._wait(connection, _cookie(connection), 0)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Response | None:
        """Return what the gateway says itself, or None to let the request pass."""
        path, request = scope["path"], Request(scope, receive, send)
        speak_to(request)
        cookie = _cookie(request)
        if not self._costs_nothing(scope, cookie) and (wait := self._wait(request, cookie, _size(request))):
            return too_often(wait)
        # Before any route: a new route that forgot to look would otherwise take another site's requests with the
        # participant's cookie.
        if not addresses.reads(scope) and addresses.from_elsewhere(request):
            return error(403, REFUSALS("other_origin"))
        if (endpoint := FAST_PATHS.get((scope["method"], path))) is not None:
            response: Response = await endpoint(request)
            # The route has looked the cookie up anyway: counting it here saves `_known` a second query.
            if (who := asked_by(request)) is not None:
                self.limits.known.add(cookie, who)
            return response
        # Our own routes ask for the cookie themselves, and answer other methods in JSON.
        if path in self.paths or path.startswith("/api/") or _is_short_link(path):
            return None
        return await self._of_streamlit(request, cookie) if addresses.reads(scope) else _nowhere(request)

    def _costs_nothing(self, scope: Scope, cookie: bytes) -> bool:
        """Return whether a request is not counted: health, and files that are packed and in memory."""
        if scope["path"] in addresses.MONITORED:
            return True
        known = scope["path"] in addresses.newcomers_files() or self.limits.known.holds(cookie)
        return known and addresses.is_file(scope)

    async def _of_streamlit(self, request: Request, cookie: bytes) -> Response | None:
        """Return the answer to a GET or HEAD of a page, or of what the page needs; None for the app to answer."""
        path = request.scope["path"]
        if path == "/":
            return shell.answer() if await self._known(request) else enter.welcome(request)
        if path in addresses.newcomers_files():
            return None
        is_file = addresses.is_file(request.scope)
        if not is_file and path not in STREAMLITS:
            return _nowhere(request)
        if not (self.limits.known.holds(cookie) or await self._known(request)):
            return error(401, REFUSALS("no_cookie"))
        return None if (answer := STREAMLITS.get(path)) is None else answer()

    async def _known(self, connection: HTTPConnection) -> bool:
        """Return whether the browser takes part."""
        cookie = connection.cookies.get(COOKIE)
        try:
            person = await run_in_threadpool(self.study.enrol.identify, cookie)
        except UnknownParticipant:
            return False
        # The database is busy or away, which says nothing about the cookie: turning a participant away would be worse.
        except StudyError:
            return True
        self.limits.known.add(hashed(cookie or ""), person.id)
        return True

    def _wait(self, connection: HTTPConnection, cookie: bytes, size: int) -> float:
        """Seconds until the request may come; 0 where it may pass.

        A cookie that was not looked up yet counts as a stranger's, so that invented ones gain nothing.
        """
        path = connection.scope["path"]
        # One address can be a classroom behind NAT, so participants are counted by who they are.
        if cookie and (who := self.limits.known.owner(cookie)) is not None:
            return self.limits.participant(who, path, size)
        address = connection.client.host if connection.client else ""
        arrives = path == "/enter" and connection.scope.get("method") == "POST"
        return self.limits.stranger(address, arrives=arrives)


def _is_short_link(path: str) -> bool:
    """Return whether it is one name below the short links: Streamlit would answer to any longer path."""
    return path.startswith(SHORT) and bool(path[len(SHORT) :]) and "/" not in path[len(SHORT) :]


def _nowhere(request: Request) -> Response:
    """405 for another method of a page's address, 404 for an address that is not there."""
    if request.scope["path"] != "/":
        return error(404, REFUSALS("no_address"))
    answer = error(405, f"{request.method} is not for this address; use GET")
    answer.headers["Allow"] = ", ".join(addresses.READING)
    return answer


def _cookie(connection: HTTPConnection) -> bytes:
    """Return the cookie's hash, computed once for all that ask for it; empty where there is no cookie."""
    cookie = connection.cookies.get(COOKIE, "")
    return hashed(cookie) if cookie else b""


def _size(request: Request) -> int:
    """Bytes of the body; one that comes in pieces of no declared size counts as the largest that is taken."""
    if "transfer-encoding" in request.headers:
        return MAX_BODY
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isdigit() and len(declared) < 12 else 0


def too_often(wait: float) -> Response:
    """429, and when to come again."""
    answer = error(429, text("failure.too_often"), reason="rate", retry_after=max(1, round(wait)))
    answer.headers["Retry-After"] = str(max(1, round(wait)))
    return answer
