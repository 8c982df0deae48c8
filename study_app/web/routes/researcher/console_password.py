"""A person at the console gives themselves another password: the one before is asked for, all other sign-ins end."""

from __future__ import annotations

from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from study_app.bootstrap import current
from study_app.domain.errors import UserError
from study_app.secrets.console_accounts import SHORTEST, ConsoleUser
from study_app.web.pages import page
from study_app.web.requests import BadRequest, body, check_origin, form_fields
from study_app.web.routes.researcher.console import COOKIE, FAILURES, FORM_STYLE, LARGEST_FORM, accounts, welcome, who

CHANGED = "change password"
"""What the audit log calls it."""


def password_page(person: ConsoleUser, problem: str = "", status: int = 200) -> Response:
    """Return the form; whom an identity provider vouches for has no password here."""
    if not _has_account(person):
        content = f"<p>{escape(person.name)} signs in with an identity provider, which keeps the password.</p>"
    else:
        fields = (
            ("before", "Present password", "current-password"),
            ("password", f"New password, of {SHORTEST} characters or more", "new-password"),
            ("again", "New password again", "new-password"),
        )
        asked = "".join(
            f'<label>{label}<input type="password" name="{name}" autocomplete="{kind}" required></label>'
            for name, label, kind in fields
        )
        content = f'<form method="post" action="/password">{asked}<button type="submit">Change password</button></form>'
    warning = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
    heading = f'<p class="eyebrow">Research console · {escape(person.name)}</p><h1>Change password</h1>'
    back = '<p class="small"><a href="/">Back to the console</a></p>'
    return page("Change password", FORM_STYLE + heading + content + warning + back, status)


async def show_password(request: Request) -> Response:
    """Return the form."""
    person = await run_in_threadpool(who, request.cookies.get(COOKIE))
    return RedirectResponse("/login", 303) if person is None else await run_in_threadpool(password_page, person)


async def change_password(request: Request) -> Response:
    """Set another password where the one before is right; this browser stays signed in, all others do not."""
    person = await run_in_threadpool(who, request.cookies.get(COOKIE))
    if person is None:
        return RedirectResponse("/login", 303)
    try:
        check_origin(request)
        fields = form_fields(await body(request, LARGEST_FORM))
        token = await run_in_threadpool(_change, person, fields)
    except BadRequest as bad:
        return await run_in_threadpool(password_page, person, bad.message, bad.status)
    except UserError as wrong:
        return await run_in_threadpool(password_page, person, str(wrong), 400)
    return welcome(request, token)


def _change(person: ConsoleUser, fields: dict[str, str]) -> str:
    """Return the token of a fresh sign-in.

    Raises:
        UserError: what keeps the password from being changed.
    """
    now, given = current().context.now(), fields.get("password", "")
    if not _has_account(person):
        raise UserError("an identity provider keeps this password; change it there")
    # A browser that was left open must not be enough to shut its owner out.
    try:
        known = accounts().check(fields.get("before", ""), now, person.name)
    except UserError:
        FAILURES.note(person.name, "locked out at a change of the password")
        raise
    if known is None:
        FAILURES.note(person.name, "wrong present password at a change of it")
        raise UserError("that is not the present password")
    if given != fields.get("again", ""):
        raise UserError("the two new passwords are not the same; enter both again")
    accounts().set(given, person.name)
    current().lifecycle.audit(person.name, CHANGED, "", {})
    return accounts().sign_in(person, now)


def _has_account(person: ConsoleUser) -> bool:
    return any(each.name == person.name for each in accounts().people())


ROUTES = [
    Route("/password", show_password, methods=["GET", "HEAD"]),
    Route("/password", change_password, methods=["POST"]),
]
