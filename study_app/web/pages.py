"""The few pages that are plain HTML: before a participant is known there is no session to draw in."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

from study_app.web.headers import POLICY, policy
from study_app.web.texts import language

STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --paper: #fff; --soft: #5b6470; --accent: #2563c9; --on: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ee; --paper: #14171c; --soft: #9aa4b2; --accent: #6ea0f5; --on: #10141b; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.65 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 36rem; padding: 2rem 1.5rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 1rem; font-weight: 650; }
.small { color: var(--soft); font-size: .9375rem; }
button { font: inherit; font-weight: 600; padding: .7rem 1.8rem; border: 0; border-radius: .5rem; cursor: pointer;
  background: var(--accent); color: var(--on); margin: .75rem 0; }
.languages { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin: 0 0 1.6rem; }
.languages a { color: var(--accent); padding: .25rem 0; }
.languages a[aria-current] { color: var(--ink); font-weight: 600; text-decoration: none; }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
"""


def page(title: str, content: str, status: int = 200, script: str = "") -> HTMLResponse:
    """Return a whole page around trusted HTML; the script goes into its head, and is the only one that runs there."""
    head = f"<script>{script}</script>" if script else ""
    return HTMLResponse(
        f'<!doctype html><html lang="{escape(language())}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,"><style>{STYLE}</style>{head}</head>'
        f"<body><main>{content}</main></body></html>",
        status_code=status,
        headers={"Cache-Control": "no-store", POLICY: policy(*filter(None, [script]))},
    )
