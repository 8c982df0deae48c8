"""Texts of participants, to be released line by line for a dataset that everybody may have.

| Shows | Records |
| --- | --- |
| every text that `study export --public` leaves out, with identifiers that a pattern found | who released which |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from study_app.dataset.disclosure.public import Cell
from study_app.domain.errors import NotAllowed
from study_app.domain.records import Kind
from study_app.services.researcher.exporting.text_review import ReviewedText, TextReviews
from study_app.ui.console import html as tables
from study_app.ui.console.session import ConsoleSession

AT_ONCE = 10
"""Texts on one page."""
SHOWN = 4000
"""Characters of a text that are drawn; a longer one is read in an export before it is released."""
_SHOW = ("Not decided", "Released", "Left out")
_DECISIONS = dict(zip(_SHOW, (None, True, False), strict=True))


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    console.head(
        "Release", "Texts that a public dataset leaves out unless you release them. Read each one: names count."
    )
    kind = console.kind()
    reviews = TextReviews(console.app.context)
    try:
        lines = reviews.lines(kind)
    except NotAllowed as problem:
        st.html(tables.note(str(problem)))
        return
    console.monitor.record_unblinding(console.person.name, "texts for release", kind)
    counts = Counter(line.released for line in lines)
    st.html(tables.tiles((name, counts[_DECISIONS[name]], "texts") for name in _SHOW))
    left, right, _ = st.columns([3, 3, 4])
    shown = left.segmented_control("Show", _SHOW, default=_SHOW[0], key="release_show", required=True)
    columns = sorted({line.column for line in lines})
    column = right.selectbox("Column", ["All", *columns], key="release_column")
    wanted = [
        line for line in lines if line.released is _DECISIONS[shown or _SHOW[0]] and column in ("All", line.column)
    ]
    _lines(console, reviews, kind, wanted)


def _lines(console: ConsoleSession, reviews: TextReviews, kind: Kind, lines: Sequence[ReviewedText]) -> None:
    if not lines:
        st.html(tables.note("No text is left here."))
        return
    if len(lines) > AT_ONCE:
        st.html(tables.note(f"{AT_ONCE} of {len(lines)}; the next ones follow as you decide."))
    for number, line in enumerate(lines[:AT_ONCE], start=1):
        _line(console, reviews, kind, number, line)


def _line(console: ConsoleSession, reviews: TextReviews, kind: Kind, number: int, line: ReviewedText) -> None:
    found = "".join(tables.badge(name, "bad") for name in line.identifiers)
    with st.container(border=True, key=f"release_line_{number}"):
        st.html(f"{tables.code(line.column)} {tables.code(line.cell.record)} {found}")
        text = line.cell.text
        st.html(tables.pre(text[:SHOWN], small=True))
        whole = len(text) <= SHOWN
        if not whole:
            st.html(tables.note(f"{len(text)} characters: too long to be released here; it stays left out."))
        if line.suggested is not None:
            st.html(tables.note("Suggested, with what a pattern found taken out:"))
            st.html(tables.pre(line.suggested.text[:SHOWN], small=True))
        release, leave, soften, _ = st.columns([2, 2, 3, 5])
        # By its content, so that a press never decides on another text that has come to the same place.
        key = line.cell.digest[:12] + line.cell.record
        if release.button("Release", key=f"release_{key}", disabled=not whole or line.released is True):
            _decide(console, reviews, kind, [line.cell], True)
        if leave.button("Leave out", key=f"leave_{key}", disabled=line.released is False):
            # What was released redacted before is taken back, too.
            both = [line.cell, *([line.suggested] if line.suggested is not None else [])]
            _decide(console, reviews, kind, both, False)
        if line.suggested is not None and soften.button("Release redacted", key=f"soften_{key}", disabled=not whole):
            _decide(console, reviews, kind, [line.suggested], True)


def _decide(console: ConsoleSession, reviews: TextReviews, kind: Kind, cells: Sequence[Cell], released: bool) -> None:
    done = "Released" if released else "Left out"
    keys = [cell.key for cell in cells]
    if console.attempt(lambda: reviews.decide(console.person.name, kind, keys, released), done):
        st.rerun()
