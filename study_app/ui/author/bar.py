"""The author's bar: arm, screen, language, clock, tasks and items, what is wrong with the files; no script.

Shows: the state of the files. Records: nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import urlencode

import streamlit as st

from study_app.bootstrap import App, Author
from study_app.domain.allocation.options import DECISION_MARK
from study_app.domain.errors import Problem, present
from study_app.domain.records import END, Participant
from study_app.services.author.screens import Screen, arm_name
from study_app.services.position import Ended, Position

LOOK_SECONDS = 0.15
"""Between two looks of an open page whether the study has changed."""
STYLE = """<style>
.stMainBlockContainer { padding-bottom: 8rem !important; }
.sa-room { height: calc(100dvh - 2.75rem) !important; bottom: 2.75rem !important; }
.stMain [style*="sticky"] { bottom: 2.75rem !important; }
.st-key-author_bar { position: fixed; inset: auto 0 0 0; z-index: 200; width: 100%; }
.sa-author { font: .875rem/1.4 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: #f3f5f8;
  background: #1f2530; border-top: 1px solid #3a4454; }
.sa-author > nav { display: flex; gap: .35rem 1.1rem; align-items: center; padding: .45rem 1rem; min-height: 2.75rem;
  box-sizing: border-box; flex-wrap: wrap; }
.sa-author a { color: #a9c8ff !important; text-decoration: none !important; }
.sa-author a:hover, .sa-author summary:hover { text-decoration: underline !important; }
.sa-author :is(a, summary):focus-visible { outline: 2px solid #a9c8ff; outline-offset: 2px; }
.sa-author .sa-quiet { color: #b6bfcc; }
.sa-author details { position: relative; }
.sa-author summary { cursor: pointer; color: #f3f5f8; }
.sa-author ul { list-style: none; margin: 0; padding: .5rem 1rem; }
.sa-author li { margin: 0 0 .2rem; font-size: .875rem; }
.sa-author details ul { position: absolute; bottom: 2rem; left: -1rem; background: #1f2530; border: 1px solid #3a4454;
  border-radius: .5rem; max-height: 60vh; overflow: auto; min-width: 15rem; width: max-content; max-width: 26rem; }
.sa-author [aria-current] { font-weight: 650; color: #fff !important; }
.sa-author-wrong { background: #5b1a16; color: #fff; padding: .6rem 1rem .7rem; max-height: 45vh; overflow: auto; }
.sa-author-wrong p { margin: 0 0 .35rem; } .sa-author-wrong li { margin: 0 0 .35rem; }
.sa-author-wrong ul { padding: 0 0 0 1rem; list-style: disc; }
.sa-author-wrong code { color: #ffd9d4; background: none; font-size: .95em; overflow-wrap: anywhere; }
</style>"""


def draw_bar(app: App, place: Position | None) -> None:
    """Draw the bar, and draw the page again as soon as the files have changed."""
    author = present(app.author, "the author's mode")
    generation = author.files.generation
    st.html(STYLE)
    with st.container(key="author_bar"):
        st.html(bar_html(author, app, place))

    @st.fragment(run_every=LOOK_SECONDS)
    def follow() -> None:
        if author.files.generation != generation:
            st.rerun()

    follow()


def bar_html(author: Author, app: App, place: Position | None) -> str:
    """Return the bar as HTML."""
    person = None if place is None else place.participant
    here = None if place is None else current_key(place)
    screens = author.previews.screens()
    arm = _arm(app, author, person)
    parts = [
        f'<b>Author</b><span class="sa-quiet">version {escape(app.context.study_hash[:8])}</span>',
        _list(
            f"Arm: {arm_name(app.study, arm)}",
            [_arm_link(app, one, arm, here, screens) for one in author.previews.arms()],
        ),
        _list(f"Screen: {_here(screens, here)}", [_screen_link(each, arm, here) for each in screens]),
        *_languages(app, author, arm, here, screens),
        _clock(author),
        _list("Tasks and items", _looks(app)),
        _link("/enter?again=1", "Welcome page"),
    ]
    nav = f'<nav aria-label="Author">{"".join(parts)}</nav>'
    return f'<div class="sa-author">{_wrong(author.files.problems)}{nav}</div>'


def current_key(place: Position) -> str:
    """Return the key of the screen that a participant sees."""
    if isinstance(place, Ended):
        return f"{END}/0/end"
    return f"{place.stage.id}/{place.participant.step}/{place.screen}"


def _arm(app: App, author: Author, person: Participant | None) -> str:
    """Return the arm that links lead to: the participant's, else the one chosen last, else the control.

    Before a second decision the treatment that was chosen last is kept.
    """
    known, chosen = author.previews.arms(), author.previews.arm
    own = person.allocated if person else None
    if person is not None and own and chosen and person.responded is None and chosen.startswith(own + DECISION_MARK):
        own = chosen
    return next((str(arm) for arm in (own, chosen) if arm in known), app.study.control.id)


def _here(screens: tuple[Screen, ...], here: str | None) -> str:
    return next((screen.title for screen in screens if screen.key == here), "none yet")


def _arm_link(app: App, arm: str, chosen: str, here: str | None, screens: tuple[Screen, ...]) -> str:
    """To the same screen in another arm, or with another second treatment."""
    address = f"/author/go?{urlencode({'screen': _target(here, screens), 'arm': arm})}"
    return _link(address, arm_name(app.study, arm), current=arm == chosen)


def _target(here: str | None, screens: tuple[Screen, ...]) -> str:
    return here if here in {screen.key for screen in screens} else screens[0].key


def _languages(app: App, author: Author, arm: str, here: str | None, screens: tuple[Screen, ...]) -> tuple[str, ...]:
    """To the same screen in another language; nothing where the study has one only."""
    offered = app.study.offered
    if len(offered) < 2:
        return ()
    chosen = author.previews.language if author.previews.language in offered else offered[0]
    given = {"screen": _target(here, screens), "arm": arm}
    links = [
        _link(f"/author/go?{urlencode(given | {'language': each})}", app.texts[each].name, current=each == chosen)
        for each in offered
    ]
    return (_list(f"Language: {app.texts[chosen].name}", links),)


def _screen_link(screen: Screen, arm: str, here: str | None) -> str:
    address = f"/author/go?{urlencode({'screen': screen.key, 'arm': arm})}"
    return _link(address, screen.title + (" (by arm)" if screen.by_arm else ""), current=screen.key == here)


def _looks(app: App) -> list[str]:
    context = app.context
    packs = [(f"pack:{folder}", f"Task: {context.content.pack(folder).title}") for folder in app.library.pack_folders]
    banks = [(f"bank:{folder}", f"Items: {folder}") for folder in app.library.bank_folders]
    return [_link(f"/?{urlencode({'look': look})}", name) for look, name in (*packs, *banks)]


def _clock(author: Author) -> str:
    if author.previews.stopped:
        return _link("/author/clock?stopped=0", "Start the clock") + '<span class="sa-quiet">clock stopped</span>'
    return _link("/author/clock?stopped=1", "Stop the clock")


def _link(address: str, name: str, *, current: bool = False) -> str:
    here = ' aria-current="true"' if current else ""
    return f'<a href="{escape(address, quote=True)}" target="_self"{here}>{escape(name)}</a>'


def _list(name: str, links: Iterable[str]) -> str:
    rows = "".join(f"<li>{link}</li>" for link in links)
    return f"<details><summary>{escape(name)}</summary><ul>{rows}</ul></details>"


def _wrong(problems: tuple[Problem, ...]) -> str:
    if not problems:
        return ""
    rows = "".join(
        f"<li><code>{escape(one.file)}</code>{': <b>' + escape(one.key) + '</b>' if one.key else ''}: "
        f"{escape(one.what)}; <i>{escape(one.remedy)}</i></li>"
        for one in problems
    )
    return (
        '<div class="sa-author-wrong" role="alert"><p><b>The files cannot be used as they are now.</b> '
        f"This page shows the last version that could.</p><ul>{rows}</ul></div>"
    )
