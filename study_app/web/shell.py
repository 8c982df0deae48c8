"""The page that Streamlit's scripts draw into, as participants get it: something to read before the first script."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from starlette.responses import HTMLResponse

from study_app.page_assets import addresses
from study_app.web.assets import FILES
from study_app.web.headers import INLINE, POLICY, policy
from study_app.web.texts import language, study, text

OPENING = (Path(__file__).parent / "shell.html").read_text(encoding="utf-8")
DROPPED = (
    re.compile(r"<!--.*?-->\s*", re.DOTALL),
    re.compile(r"<noscript>.*?</noscript>", re.DOTALL),
    re.compile(r'<link rel="service-desc"[^>]*>\s*'),
    # The study is set in the system's own fonts.
    re.compile(r'<link\s+rel="preload"[^>]*as="font"[^>]*>\s*', re.DOTALL),
    re.compile(r"<script>\s*window\.prerenderReady.*?</script>\s*", re.DOTALL),
)
SCRIPT = re.compile(r'(?:src|href)="\./((?:static|assets)/[^"]+\.(?:js|css))"')
EVERY_PAGE = ("top.js", "actions.js")
"""Our components that every screen mounts."""
LATER = ("form.js", "countdown.js", "workspace.js")
"""Those that come later on the way: fetched while the first page is read."""


@lru_cache(maxsize=8)
def opening(_code: str) -> str:
    """Return what stands on the page before Streamlit draws, in the language of that code, which is the request's."""
    filled = OPENING.replace("{loading}", escape(text("opening.loading")))
    filled = filled.replace("{no_script}", escape(text("opening.no_script")))
    filled = filled.replace("{slow}", in_script(text("opening.slow")))
    return filled.replace("{later}", in_script([f"./{address}" for address in _ours(LATER)]))


@lru_cache(maxsize=8)
def shell(title: str, code: str) -> str:
    """Return the page's HTML with a title, in the language of that code, which is the request's."""
    page = (FILES.static / "index.html").read_text(encoding="utf-8")
    for dropped in DROPPED:
        page = dropped.sub("", page)
    page = page.replace('<html lang="en">', f'<html lang="{escape(code)}">')
    page = page.replace("<title>Streamlit</title>", f"<title>{escape(title)}</title>")
    known = set(SCRIPT.findall(page))
    # Named ahead: the browser would otherwise learn of each script from the one before, a round trip at a time.
    more = [address for address in (*FILES.needed(), *_ours(EVERY_PAGE)) if address not in known]
    links = "".join(f'<link rel="modulepreload" crossorigin href="./{address}">' for address in more)
    page = page.replace("</head>", f"{links}</head>")
    return page.replace("<body>", f"<body>{opening(code)}", 1)


def answer() -> HTMLResponse:
    """Return the page for participants."""
    allowed = policy(*INLINE.findall(opening(language())))
    return HTMLResponse(shell(study().title, language()), headers={"Cache-Control": "no-store", POLICY: allowed})


def wanted_soon() -> list[str]:
    """Return everything that the first page after `Start` will ask for, so that it can be fetched while one reads."""
    return list(dict.fromkeys(f"./{address}" for address in SCRIPT.findall(shell(study().title, language()))))


def in_script(value: Any) -> str:
    """Return a value as it may stand in an inline script."""
    # A title with `</script>` in it would end the script.
    return json.dumps(value).replace("</", "<\\/")


def _ours(names: tuple[str, ...]) -> list[str]:
    return [addresses()[name] for name in names if name in addresses()]
