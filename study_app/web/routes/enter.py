"""GET and POST /enter: a welcome page that creates nothing, and the click that does. GET /healthz for machines."""

from __future__ import annotations

import logging
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from study_app import __version__
from study_app.bootstrap import current
from study_app.domain.errors import InfrastructureError, UnknownParticipant
from study_app.domain.sentences import ended
from study_app.domain.study.durations import session_minutes
from study_app.domain.study.study import Study
from study_app.secrets.signed_arrival import FIELD, PANEL_FIELDS
from study_app.services.participant.enrolment import TOKEN_DAYS, EntryRequest, check_entry
from study_app.services.researcher.links import SHORT
from study_app.web import shell
from study_app.web.pages import page
from study_app.web.requests import COOKIE, check_origin, form_body, is_tls, route
from study_app.web.texts import COOKIE as LANGUAGE_COOKIE
from study_app.web.texts import FIELD as LANGUAGE
from study_app.web.texts import language, speak, text, translated
from study_app.web.texts import study as study_here

log = logging.getLogger(__name__)

FIELDS = (*PANEL_FIELDS, FIELD, "label", "link", "again", "move", "test")
NONCE_FILE = "attack.nonce"
LARGEST_FORM = 20_000
PROBE = "study_probe"
"""A field of the form and a cookie: where only the field comes back, the browser keeps no cookies."""

PREFETCH = """addEventListener("load", () => { for (const href of later) {
const link = document.createElement("link");
link.rel = "prefetch"; link.as = href.endsWith(".css") ? "style" : "script"; link.crossOrigin = "anonymous";
link.href = href; document.head.append(link); } });"""


def welcome(request: Request) -> HTMLResponse:
    """Return the page before the study.

    One button, which carries on what the address brought, and the choice of language.
    """
    fields = dict(request.query_params)
    if request.method != "POST":
        speak(fields.get(LANGUAGE, ""))
    study = study_here()
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(fields[name], quote=True)}">'
        for name in FIELDS
        if fields.get(name)
    )
    hidden += f'<input type="hidden" name="{PROBE}" value="1">'
    hidden += f'<input type="hidden" name="{LANGUAGE}" value="{escape(language())}">'
    content = (
        f"{_choice_of_language(fields)}<h1>{escape(study.title)}</h1><p>{escape(duration(study))}</p>"
        f'<form method="post" action="/enter">{hidden}'
        f'<button type="submit">{escape(text("welcome.start"))}</button></form>'
        f'<p class="small">{escape(text("welcome.nothing_yet"))}</p>'
    )
    response = page(study.title, content, script=prefetch(shell.wanted_soon()))
    # Comes back with `Start` unless the browser keeps no cookies; says nothing about anybody.
    response.set_cookie(PROBE, "1", httponly=True, samesite="lax", path="/")
    return response


def _choice_of_language(fields: dict[str, str]) -> str:
    """Links to this page in each language that the study offers; empty where there is one."""
    app = current()
    if len(app.study.offered) < 2:
        return ""
    brought = {name: value for name, value in fields.items() if name in FIELDS and value}
    links = []
    for code in app.study.offered:
        name, shown = escape(code, quote=True), escape(app.texts[code].name)
        address = escape("/enter?" + urlencode(brought | {LANGUAGE: code}), quote=True)
        here = ' aria-current="true"' if code == language() else ""
        links.append(f'<a href="{address}" lang="{name}" hreflang="{name}"{here}>{shown}</a>')
    return f'<nav class="languages" aria-label="{escape(text("welcome.language"))}">{" ".join(links)}</nav>'


def duration(study: Study) -> str:
    """Return how long the study takes, from its own limits and questions."""
    first, *later = [session_minutes(study, session.id) for session in study.sessions]
    words = text("welcome.body").replace("{minutes}", str(first))
    if later:
        more = text("welcome.later_one" if len(later) == 1 else "welcome.later_more")
        words += " " + more.replace("{parts}", str(len(later))).replace("{minutes}", str(sum(later)))
    return words


def prefetch(addresses: list[str]) -> str:
    """Return a script that fetches these files once the page itself is there, whatever of them the browser lacks."""
    return f"const later = {shell.in_script(addresses)};{PREFETCH}"


def refusal(status: int, message: str, reason: str = "", **_more: Any) -> HTMLResponse:
    """Return a kind page for a person who cannot come in."""
    title = text("welcome.taken_title" if reason == "taken" else "welcome.not_open")
    on = f'<p><a href="/">{escape(text("welcome.go_on"))}</a></p>' if reason == "taken" else ""
    return page(title, f"<h1>{escape(title)}</h1><p>{escape(sentence(translated(message)))}</p>{on}", status)


def sentence(message: str) -> str:
    """Return a service's message as a complete sentence."""
    return ended(message[:1].upper() + message[1:])


def no_cookies(fields: dict[str, str]) -> HTMLResponse:
    """Return the page for a browser that keeps no cookie: it would come back to the welcome page for ever."""
    again = "/enter?" + urlencode({name: value for name, value in fields.items() if name in (*FIELDS, LANGUAGE)})
    content = (
        f"<h1>{escape(text('welcome.cookies_title'))}</h1><p>{escape(text('welcome.cookies'))}</p>"
        f'<p><a href="{escape(again, quote=True)}">{escape(text("welcome.try_again"))}</a></p>'
    )
    return page(text("welcome.cookies_title"), content, 400)


async def enter(request: Request) -> Response:
    """Return the welcome page.

    A scanner's visit takes no place, and an address that cannot be right is refused at once.
    """
    fields = dict(request.query_params)
    vouched = await run_in_threadpool(_vouched, request, fields, pressed=False)
    speak(fields.get(LANGUAGE, ""))
    # Here already: a person with a placeholder for an id should not read the welcome page first.
    check_entry(current().study, EntryRequest.parse(vouched))
    return welcome(request)


async def short(request: Request) -> Response:
    """Lead from a short link to the welcome page."""
    address = "/enter?" + urlencode({"link": request.path_params["secret"]})
    return RedirectResponse(address, status_code=303)


async def start(request: Request) -> Response:
    """Create or re-attach, set the cookie, go on to the study."""
    check_origin(request)
    fields = await form_body(request, LARGEST_FORM)
    speak(fields.get(LANGUAGE, ""))
    # A browser without cookies would otherwise make a new participant at each press.
    if fields.get(PROBE) and not request.cookies:
        return no_cookies(fields)
    entry = EntryRequest.parse(await run_in_threadpool(_vouched, request, fields, pressed=True))
    token = request.cookies.get(COOKIE)
    # A preview of a draft that begins anew is another person: with its cookie it would be let in as the one before.
    draft = bool(fields.get("again")) and await run_in_threadpool(_is_draft)
    token = None if draft else token
    admitted = await run_in_threadpool(current().enrol.enter, entry, token, None, language())
    response = RedirectResponse("/", status_code=303)
    if len(current().study.offered) > 1:
        _keep(response, request, LANGUAGE_COOKIE, admitted.participant.language or current().study.language)
    _keep(response, request, COOKIE, admitted.token)
    return response


def _keep(response: Response, request: Request, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=TOKEN_DAYS * 86_400,
        httponly=True,
        samesite="lax",
        secure=is_tls(request),
        path="/",
    )


def _vouched(request: Request, fields: dict[str, str], *, pressed: bool) -> dict[str, str]:
    """Return the fields with the panel's ids as its signature gives them, where the study asks for one."""
    arrival = current().signed_arrival
    # A test entry makes previews only, whatever ids the address brings, so that no signature is needed.
    if arrival is None or fields.get("test"):
        return fields
    return arrival.vouched(fields, pressed=pressed, known_as=_known_as(request.cookies.get(COOKIE)))


def _known_as(token: str | None) -> str | None:
    """Panel id of the participant of this browser."""
    try:
        return current().enrol.identify(token).prolific_pid
    except UnknownParticipant:
        return None


def _is_draft() -> bool:
    context = current().context
    with context.registry.begin(write=False) as unit:
        return context.state(unit) == "draft"


async def healthz(request: Request) -> Response:
    """Return whether the server can write what participants send: 503 where it cannot."""
    app = current()
    try:
        found = await run_in_threadpool(app.health.check)
    except InfrastructureError as failure:
        log.error("the server is not well", exc_info=failure)
        return JSONResponse({"status": "failing", "error": "nothing can be written now; see the server's log"}, 503)
    if found.paused:
        return JSONResponse({"status": "paused", "error": "programs cannot be run", "alerts": list(found.alerts)}, 503)
    answer = {"status": "ok", "study": app.study.id, "state": found.state, "version": __version__}
    return JSONResponse(answer | {"alerts": list(found.alerts)} | await run_in_threadpool(_planted, app.settings.var))


def _planted(var: Path) -> dict[str, str]:
    """Return what `study doctor --attack` has just written beside the database, to prove that it is this server."""
    try:
        return {"nonce": (var / NONCE_FILE).read_text(encoding="ascii")[:64]}
    except (OSError, UnicodeDecodeError):
        return {}


ROUTES = [
    Route("/enter", route(enter, refusal), methods=["GET", "HEAD"]),
    Route("/enter", route(start, refusal), methods=["POST"]),
    Route(SHORT + "{secret:str}", route(short, refusal), methods=["GET", "HEAD"]),
    Route("/healthz", route(healthz), methods=["GET"]),
]
