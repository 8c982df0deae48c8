"""Everybody, one row each, fifty at a time; and a page for each.

| Shows | Records |
| --- | --- |
| who may need help; stage, status, minutes, last seen; arms where the state allows | acts on a participant, why |
"""

from __future__ import annotations

from math import ceil
from urllib.parse import quote

import streamlit as st

from study_app.domain.records import Kind
from study_app.services.researcher.console_views import ParticipantSummary
from study_app.services.researcher.monitoring import arms_visible
from study_app.services.researcher.participant_page import SIZE, ParticipantViews, PeoplePage
from study_app.ui.console import html as tables
from study_app.ui.console.pages.participant import draw_one
from study_app.ui.console.session import ConsoleSession

REFRESH_SECONDS = 10


def render(desk: ConsoleSession) -> None:
    """Draw the board, or the page of the participant in the address."""
    views = ParticipantViews(desk.app.world)
    asked = st.query_params.get("who")
    if asked:
        st.html('<p class="sc-note"><a href="/participants" target="_self">All participants</a></p>')
        draw_one(desk, views, str(asked))
        return
    state = desk.monitor.state()
    desk.head("Participants", "Where each participant is, the latest to enrol first.")
    kind = desk.kind()
    found = _found(views, kind)
    if not found.statuses:
        st.html(tables.note("No participants yet."))
        return
    _attention(views, kind)
    if not arms_visible(state, kind):
        st.html(tables.note("Arm, stratum and place in the ledger are hidden until the trial is unsealed."))
    st.html(_table(desk, found.people, arms_visible(state, kind)))
    named = {person.id: f"{person.id}   {person.came_as}".strip() for person in found.people}
    chosen = st.selectbox(
        "Participant", list(named), index=None, format_func=lambda key: named[key], key="act_on",
        placeholder="Choose one",
    )  # fmt: skip
    if chosen is not None:
        draw_one(desk, views, chosen)


def _found(views: ParticipantViews, kind: Kind) -> PeoplePage:
    """Return the page of the list that search, status and number ask for."""
    # One look at the database: what the fields below hold is known before they are drawn.
    state = st.session_state
    wanted, chosen = str(state.get("people_search", "")), tuple(state.get("people_status") or ())
    number = int(state.get("people_page", 1))
    found = views.page(kind, wanted, chosen, number - 1)
    pages = max(1, ceil(found.found / SIZE))
    if number > pages:
        found, state["people_page"] = views.page(kind, wanted, chosen), 1
    if set(chosen) - set(found.statuses):
        # No participant has this status any more: it cannot stay chosen.
        state["people_status"] = [name for name in chosen if name in found.statuses]
    left, middle, right = st.columns([3, 6, 2])
    left.text_input("Search", key="people_search", placeholder="Any id or label")
    middle.pills(
        "Status", list(found.statuses), selection_mode="multi", key="people_status",
        format_func=lambda name: f"{name.replace('_', ' ')} {found.statuses[name]}",
    )  # fmt: skip
    if pages > 1:
        right.number_input(f"Page of {pages}", 1, pages, key="people_page")
    return found


def _attention(views: ParticipantViews, kind: Kind) -> None:
    """Who may need help, looked at again every few seconds."""

    @st.fragment(run_every=REFRESH_SECONDS)
    def live() -> None:
        people = views.attention(kind)
        if people:
            rows = [(_link(person), person.came_as, person.stage, why) for person, why in people[:20]]
            label = "May need help now"
            st.html(tables.heading(label) + tables.table(("Participant", "Came as", "Stage", "Why"), rows, label=label))

    live()


def _link(person: ParticipantSummary) -> tables.Html:
    address = f"/participants?who={quote(person.id)}"
    return tables.Html(f'<a href="{address}" target="_self">{tables.code(person.id)}</a>')


def _table(desk: ConsoleSession, people: tuple[ParticipantSummary, ...], arms: bool) -> str:
    now = desk.app.world.now()
    header = ["Participant", "Came as", "Status", "Stage", "Step", "In stage", "In all", "Last seen"]
    rows = []
    for person in people:
        status = tables.status(person.status)
        if person.exclusion_reason:
            status = tables.Html(f"{status} {tables.cell(person.exclusion_reason)}")
        if person.data_withdrawn:
            status = tables.Html(f"{status} {tables.badge('data withdrawn', 'warm')}")
        row: list[object] = [_link(person), person.came_as, status, person.stage, person.step]
        row += [tables.minutes(person.minutes_in_stage), tables.minutes(person.minutes_in_all)]
        row += [tables.ago(person.last_seen_at, now)]
        rows.append(row + ([person.arm, person.stratum, person.allocation_index] if arms else []))
    header += ["Arm", "Stratum", "Index"] if arms else []
    return tables.table(header, rows, numbers=(5, 6), label="Participants")
