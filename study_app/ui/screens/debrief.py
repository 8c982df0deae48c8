"""The last screen of every way, however it ended.

Shows: thanks, what the study was about, the completion code of this outcome. Records: nothing.
"""

from __future__ import annotations

from html import escape

import streamlit as st

from study_app.domain.localisation.content_texts import localised_pack
from study_app.services.position import Ended
from study_app.ui.components.views import Button
from study_app.ui.page import Page

KNOWN = {"completed", "declined", "screened_out", "withdrawn", "abandoned"}


def draw(page: Page[Ended]) -> None:
    """Draw the screen."""
    place = page.place
    recruitment, status = place.study.recruitment, place.participant.status
    outcome: str = status if status in KNOWN else "completed"
    if place.participant.place == "refused":
        outcome = "full"
    debrief = place.study.stages[-1]
    page.head(debrief.title)
    page.write(page.text(f"end.{outcome}"))
    if place.participant.data_withdrawn:
        page.write(page.text("end.withdrawn_deleted"))
    elif outcome == "abandoned":
        page.write(page.text("end.abandoned_kept"))
    if outcome == "abandoned":
        page.write(page.text("paused.contact", contact=place.study.contact or page.text("refusal.team")))
    if outcome == "completed" and debrief.body:
        page.write(debrief.body)
    if about := about_variants(page):
        page.write(about)
        if not place.participant.data_withdrawn:
            page.write(page.text("end.take_back_offer"))
    # Who did not come back in time has left: the code of the completed would claim, and be paid for, what is missing.
    outcome_of_code = "withdrawn" if outcome == "abandoned" else outcome
    code, url = getattr(recruitment.codes, outcome_of_code), recruitment.completion_url
    if outcome == "completed":
        code = place.study.session_code(place.study.session_of(debrief))
    hint = page.text("end.code_hint_link" if url else "end.code_hint")
    withdrawal = _withdrawal(page)
    page.actions(
        *withdrawal,
        pledge=page.text("end.take_back") if withdrawal else None,
        copies=[{"title": page.text("end.code"), "value": code, "address": False, "hint": hint}],
        link={"href": url.replace("{code}", code), "label": page.text("end.back_link")} if url else None,
        leave="none",
        forget="all",
    )
    if place.participant.kind == "preview":
        st.html(f'<p class="preview"><a href="/enter?again=1" target="_self">{escape(page.text("end.again"))}</a></p>')


def about_variants(page: Page[Ended]) -> str:
    """Return the note on tasks that could not be done, this participant's by name; empty without an arm."""
    place = page.place
    allocated = place.participant.arm
    if not place.study.offers_exit or allocated is None:
        return ""
    content = page.app.context.content_of(place.participant)
    found = [localised_pack(folder, content.pack(folder), page.say) for folder in place.study.variants_met(allocated)]
    met = ", ".join(pack.title for pack in found)
    which = page.text("end.variants_met", tasks=met) if met else page.text("end.variants_none")
    return f"## {page.text('end.variants_title')}\n\n{page.text('end.variants')} {which}"


def _withdrawal(page: Page[Ended]) -> list[Button]:
    """Return the button by which participants take their data back, now that they know what they did not before."""
    person = page.place.participant
    if not page.place.study.offers_exit or person.arm is None or person.data_withdrawn:
        return []
    return [{"act": "take_back", "label": page.text("end.take_back_button"), "first": False}]
