"""Between two sessions.

Shows: when the next part opens and closes, in UTC and by the computer's clock, whom to write to, the completion code of
the part before; in a preview a button that opens the next part. Records: that it was opened.
"""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from study_app.services.position import Waiting
from study_app.ui.components.views import Button, Copy
from study_app.ui.page import Page


def draw(page: Page[Waiting]) -> None:
    """Draw the screen."""
    place, moment = page.place, partial(page.texts.figures.local_moment, zone=_zone())
    page.head(page.text("waiting.title"))
    page.write(page.text("waiting.body", date=moment(place.opens_at)))
    if place.closes_at is not None:
        page.write(page.text("waiting.until", date=moment(place.closes_at)))
    page.write(page.text("waiting.contact", contact=place.study.contact or page.text("refusal.team")))
    buttons: list[Button] = []
    if place.participant.kind == "preview":
        buttons = [{"act": "continue", "label": page.text("waiting.open_now"), "first": False}]
    page.actions(*buttons, copies=_code(page), forget="sent")


def _zone() -> ZoneInfo | None:
    """Return the time zone of the browser's computer; None where it names none that is known here."""
    try:
        return ZoneInfo(st.context.timezone or "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _code(page: Page[Waiting]) -> list[Copy]:
    """Return the completion code of the session before; none where the study gives it none."""
    study = page.place.study
    before = study.sessions[study.wave(page.place.stage) - 2]
    code = study.session_code(before)
    if not code:
        return []
    return [{"title": page.text("end.code"), "value": code, "address": False, "hint": page.text("waiting.code_hint")}]
