"""GET and POST /no-reminders: the way out that stands in every reminder; a visit changes nothing, the button does."""

from __future__ import annotations

from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from study_app.bootstrap import current
from study_app.services.researcher.panel.reminders import stop_reminders
from study_app.web.pages import page
from study_app.web.requests import form_body, route
from study_app.web.routes.enter import refusal
from study_app.web.texts import text

LARGEST_FORM = 2_000


async def ask(request: Request) -> Response:
    """Return the page with the button."""
    token = escape(request.query_params.get("token", "")[:200], quote=True)
    return _page(
        f"<p>{escape(text('reminder.stop_body'))}</p>"
        f'<form method="post" action="/no-reminders"><input type="hidden" name="token" value="{token}">'
        f'<button type="submit">{escape(text("reminder.stop_button"))}</button></form>'
    )


async def stop(request: Request) -> Response:
    """Send this person no reminder any more."""
    fields = await form_body(request, LARGEST_FORM)
    await run_in_threadpool(stop_reminders, current().context, fields.get("token", ""))
    return _page(f"<p>{escape(text('reminder.stopped'))}</p>")


def _page(content: str) -> HTMLResponse:
    title = text("reminder.stop_title")
    return page(title, f"<h1>{escape(title)}</h1>{content}")


ROUTES = [
    Route("/no-reminders", route(ask, refusal), methods=["GET", "HEAD"]),
    Route("/no-reminders", route(stop, refusal), methods=["POST"]),
]
