"""GET and POST /enter: a welcome page that creates nothing, and the click that does. GET /healthz for machines."""

from __future__ import annotations

from html import escape
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from study_app import __version__
from study_app.bootstrap import current
from study_app.services.enrol import TOKEN_DAYS, Entry, check_entry
from study_app.web import shell
from study_app.web.pages import page
from study_app.web.requests import COOKIE, check_origin, form_body, is_tls, route
from study_app.web.texts import text

FIELDS = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID", "label", "link", "again")
LARGEST_FORM = 20_000

PREFETCH = """addEventListener("load", () => { for (const href of later) {
const link = document.createElement("link");
link.rel = "prefetch"; link.as = href.endsWith(".css") ? "style" : "script"; link.crossOrigin = "anonymous";
link.href = href; document.head.append(link); } });"""


def welcome(fields: dict[str, str]) -> HTMLResponse:
    """The page before the study: one button, which carries on what the address brought."""
    study = current().study
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(fields[name], quote=True)}">'
        for name in FIELDS
        if fields.get(name)
    )
    content = (
        f"<h1>{escape(study.title)}</h1><p>{escape(text('welcome.body'))}</p>"
        f'<form method="post" action="/enter">{hidden}'
        f'<button type="submit">{escape(text("welcome.start"))}</button></form>'
        f'<p class="small">{escape(text("welcome.nothing_yet"))}</p>'
    )
    return page(study.title, content, head=prefetch(shell.wanted_soon()))


def prefetch(addresses: list[str]) -> str:
    """A script that fetches these files once the page itself is there, whatever of them the browser lacks."""
    return f"<script>const later = {shell.in_script(addresses)};{PREFETCH}</script>"


def refusal(status: int, message: str, **_more: Any) -> HTMLResponse:
    """A kind page for somebody who cannot come in."""
    title = text("welcome.not_open")
    return page(title, f"<h1>{escape(title)}</h1><p>{escape(message)}</p>", status)


async def enter(request: Request) -> Response:
    """The welcome page; a scanner's visit takes no place, and an address that cannot be right is refused at once."""
    fields = dict(request.query_params)
    check_entry(current().study, Entry.parse(fields))
    return welcome(fields)


async def start(request: Request) -> Response:
    """Create or re-attach, set the cookie, go on to the study."""
    check_origin(request)
    fields = await form_body(request, LARGEST_FORM)
    entry = Entry.parse(fields)
    token = request.cookies.get(COOKIE)
    draft = bool(fields.get("again")) and await run_in_threadpool(_is_draft)
    token = None if draft else token
    admitted = await run_in_threadpool(current().enrol.enter, entry, token)
    response = RedirectResponse("/", status_code=303)
    response.set_cookie(
        COOKIE,
        admitted.token,
        max_age=TOKEN_DAYS * 86_400,
        httponly=True,
        samesite="lax",
        secure=is_tls(request),
        path="/",
    )
    return response


def _is_draft() -> bool:
    world = current().world
    with world.registry.begin(write=False) as unit:
        return world.state(unit) == "draft"


async def healthz(request: Request) -> Response:
    """Whether the server answers and reaches its database."""
    world = current().world

    def state() -> str:
        with world.registry.begin(write=False) as unit:
            return world.state(unit)

    found = await run_in_threadpool(state)
    return JSONResponse({"status": "ok", "study": world.study.id, "state": found, "version": __version__})


ROUTES = [
    Route("/enter", route(enter, refusal), methods=["GET", "HEAD"]),
    Route("/enter", route(start, refusal), methods=["POST"]),
    Route("/healthz", route(healthz), methods=["GET"]),
]
