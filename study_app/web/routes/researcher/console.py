"""Sign-in to the console: a form, an HttpOnly cookie, an audit of failures."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from html import escape

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from study_app import __version__
from study_app.bootstrap import current
from study_app.domain.errors import UserError
from study_app.secrets.console_accounts import ADMIN, SIGNED_IN, Account, ConsoleUser, accounts_in
from study_app.secrets.console_roles import role_in_secrets
from study_app.web.pages import page
from study_app.web.requests import BadRequest, body, check_origin, form_fields, is_tls

COOKIE = "study_console"
OF_A_PROVIDER = "_streamlit_user"
"""How the names of Streamlit's cookies begin that hold what an identity provider says."""
LARGEST_FORM = 4_000
FAILED = "sign in failed"
"""What the audit log calls it."""
MOST_FAILURES = 100
"""Entries an hour in the audit log: of each name that there is, and of all others together."""
AT_ONCE = 2
"""Passwords that are checked at once: each takes a core and 64 MiB for a while."""
MOST_WAITING = 20
"""Sign-ins that may wait for that; of more than these one is refused at once."""
NO_ACCOUNT = "(no account)"
"""What the audit log calls a name that there is not."""
FORM_STYLE = """<style>
form { display: grid; gap: .9rem; max-width: 20rem; margin-top: 1.5rem; }
label { display: grid; gap: .3rem; font-size: .9375rem; color: var(--soft); }
input { font: inherit; color: var(--ink); background: transparent; padding: .55rem .75rem; border-radius: .5rem;
  border: 1px solid color-mix(in srgb, var(--soft) 45%, transparent); }
input:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; border-color: transparent; }
button { justify-self: start; margin-top: .25rem; }
.eyebrow { color: var(--soft); font-size: .9375rem; margin: 0 0 .35rem; }
.problem { color: #b3261e; margin: 1rem 0 0; }
@media (prefers-color-scheme: dark) { .problem { color: #ff8f86; } }
</style>"""


def accounts() -> Account:
    """Return the accounts of the running study."""
    return accounts_in(current().settings.var)


def login_page(problem: str = "", name: str = "", status: int = 200) -> HTMLResponse:
    """Return the form. The name is asked for once there is more than the first account."""
    people = accounts().people()
    if not people:
        content = "<p>No password is set yet. Set one with <code>study password</code> on the server.</p>"
    else:
        only = len(people) == 1 and people[0].name == ADMIN
        field = (
            f'<input type="hidden" name="name" value="{ADMIN}">'
            if only
            else '<label>Name<input name="name" autocomplete="username" autocapitalize="off" spellcheck="false" '
            f'required value="{escape(name, quote=True)}"{"" if name else " autofocus"}></label>'
        )
        focus = " autofocus" if only or name else ""
        content = (
            f'<form method="post" action="/login">{field}<label>Password<input type="password" name="password" '
            f'autocomplete="current-password" required{focus}></label><button type="submit">Sign in</button></form>'
        )
    warning = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    heading = f'<p class="eyebrow">Research console</p><h1>{escape(current().study.title)}</h1>'
    return page("Research console", FORM_STYLE + heading + content + warning, status)


async def show_login(request: Request) -> Response:
    """Return the form, or on to the console for a person who is signed in."""
    if await run_in_threadpool(who, request.cookies.get(COOKIE)) is not None:
        return RedirectResponse("/", status_code=303)
    token = await run_in_threadpool(_redeem, request.query_params.get("ticket", ""))
    return welcome(request, token) if token else await run_in_threadpool(login_page)


async def login(request: Request) -> Response:
    """Check name and password; set the cookie."""
    name = ""
    try:
        check_origin(request)
        fields = form_fields(await body(request, LARGEST_FORM))
        name = fields.get("name", ADMIN).strip()
        token = await _in_turn(_sign_in, name, fields.get("password", ""))
    except BadRequest as bad:
        return await run_in_threadpool(login_page, bad.message, name, bad.status)
    except UserError as locked:
        return await run_in_threadpool(login_page, str(locked), name, 429)
    if token is None:
        return await run_in_threadpool(login_page, "That is not the right name and password.", name, 401)
    return welcome(request, token)


def welcome(request: Request, token: str) -> Response:
    """Send the browser to the console with the cookie of a sign-in."""
    response = RedirectResponse("/", status_code=303)
    seconds = round(SIGNED_IN.total_seconds())
    response.set_cookie(
        COOKIE, token, max_age=seconds, httponly=True, samesite="strict", secure=is_tls(request), path="/"
    )
    return response


class FailedSignIns:
    """Failed sign-ins in the audit log; no more than MOST_FAILURES an hour, so that a stranger cannot fill it.

    Counted for each account apart: with invented names, or at another account, no one can use up its entries.
    """

    def __init__(self) -> None:
        self._moments: dict[str, deque[datetime]] = {}
        self._lock = threading.Lock()

    def note(self, name: str, why: str) -> None:
        """Record a failure; what was typed for a name is kept only where there is such an account."""
        app = current()
        now = app.context.now()
        # A password typed into the field of the name would otherwise stand in the audit log, which never changes.
        named = name if any(person.name == name for person in accounts().people()) else NO_ACCOUNT
        with self._lock:
            moments = self._moments.setdefault(named, deque(maxlen=MOST_FAILURES))
            if len(moments) == MOST_FAILURES and now - moments[0] < timedelta(hours=1):
                return
            moments.append(now)
        app.lifecycle.audit(named, FAILED, "", {"why": why})


FAILURES = FailedSignIns()
_CHECKING: RunVar[CapacityLimiter] = RunVar("_CHECKING")


async def _in_turn(sign_in: Callable[[str, str], str | None], name: str, password: str) -> str | None:
    """Check a password, a few at once, in separate threads.

    In the threads that serve all other requests strangers' sign-ins would fill them all, and the console would stand.

    Raises:
        UserError: too many are waiting.
    """
    limiter = _CHECKING.get(None)
    if limiter is None:
        limiter = CapacityLimiter(AT_ONCE)
        _CHECKING.set(limiter)
    if limiter.statistics().tasks_waiting >= MOST_WAITING:
        raise UserError("many sign-ins are being checked; wait a moment and try again")
    return await to_thread.run_sync(sign_in, name, password, limiter=limiter)


def _redeem(ticket: str) -> str | None:
    """Sign a person in for whom a provider vouches, and say so in the audit log."""
    token = accounts().redeem(ticket, current().context.now())
    person = who(token)
    if person is not None:
        current().lifecycle.audit(person.name, "sign in", "", {"role": person.role, "by": "identity provider"})
    return token if person is not None else None


def _sign_in(name: str, password: str) -> str | None:
    now = current().context.now()
    try:
        person = accounts().check(password, now, name)
    except UserError:
        FAILURES.note(name, "locked out")
        raise
    if person is None:
        FAILURES.note(name, "wrong name or password")
        return None
    current().lifecycle.audit(person.name, "sign in", "", {"role": person.role})
    return accounts().sign_in(person, now)


async def logout(request: Request) -> Response:
    """Make the cookie worthless. Other sites' pages cannot send it, so a GET is safe."""
    await run_in_threadpool(accounts().sign_out, request.cookies.get(COOKIE))
    # A provider's word lies in another cookie, good for a month: with it the next person at this machine would be in
    # again by one click. Streamlit's own route takes it away, and ends the provider's session where it can.
    vouched = any(name.startswith(OF_A_PROVIDER) for name in request.cookies)
    response = RedirectResponse("/auth/logout" if vouched else "/login", status_code=303)
    response.delete_cookie(COOKIE, path="/")
    return response


async def overview(request: Request) -> Response:
    """Lead to the first board, which Streamlit knows only by the address without a name."""
    return RedirectResponse("/", status_code=303)


async def healthz(request: Request) -> Response:
    """Return whether the console answers."""
    return JSONResponse({"status": "ok", "version": __version__})


def who(token: str | None) -> ConsoleUser | None:
    """Whose sign-in it is."""
    return accounts().person_of(token, current().context.now(), role_in_secrets)


ROUTES = [
    Route("/login", show_login, methods=["GET", "HEAD"]),
    Route("/login", login, methods=["POST"]),
    Route("/logout", logout, methods=["GET", "POST"]),
    Route("/overview", overview, methods=["GET", "HEAD"]),
    Route("/healthz", healthz, methods=["GET"]),
]
