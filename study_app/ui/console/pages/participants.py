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
from study_app.services.attending.live import LiveView, Need
from study_app.services.attending.participant_page import ORDERS, SIZE, ParticipantViews, PeoplePage
from study_app.services.researcher.console_views import ParticipantSummary
from study_app.services.researcher.monitoring import arms_visible
from study_app.ui.console import html as tables
from study_app.ui.console.pages.participant import draw_one
from study_app.ui.console.session import ConsoleSession, still_here

REFRESH_SECONDS = 10
SHOWN = 20
NEEDS: dict[Need, str] = {"in error": "In error", "offline": "Offline", "stuck": "Stuck", "paused": "Paused"}
"""What a participant who is there may need help with, and how the board calls it."""


def render(console: ConsoleSession) -> None:
    """Draw the board, or the page of the participant in the address."""
    views = ParticipantViews(console.app.context)
    asked = st.query_params.get("who")
    if asked:
        st.html('<p class="sc-note"><a href="/participants" target="_self">All participants</a></p>')
        draw_one(console, views, str(asked))
        return
    state = console.monitor.state()
    console.head("Participants", "Where each participant is, the latest to enrol first.")
    kind = console.kind()
    found = _found(views, kind)
    if not found.statuses:
        st.html(tables.note("No participants yet."))
        return
    _live(console, kind)
    if not arms_visible(state, kind):
        st.html(tables.note("Arm, stratum and place in the ledger are hidden until the trial is unsealed."))
    st.html(_table(console, found.people, arms_visible(state, kind)))
    named = {person.id: f"{person.id}   {person.came_as}".strip() for person in found.people}
    chosen = st.selectbox(
        "Participant", list(named), index=None, format_func=lambda key: named[key], key="act_on",
        placeholder="Choose one",
    )  # fmt: skip
    if chosen is not None:
        draw_one(console, views, chosen)


def _found(views: ParticipantViews, kind: Kind) -> PeoplePage:
    """Return the page of the list that search, status and number ask for."""
    # One look at the database: what the fields below hold is known before they are drawn.
    state = st.session_state
    wanted, chosen = str(state.get("people_search", "")), tuple(state.get("people_status") or ())
    number, order = int(state.get("people_page", 1)), state.get("people_order") or ORDERS[0]
    found = views.page(kind, wanted, chosen, number - 1, order)
    pages = max(1, ceil(found.found / SIZE))
    if number > pages:
        found, state["people_page"] = views.page(kind, wanted, chosen, order=order), 1
    if set(chosen) - set(found.statuses):
        # No participant has this status any more: it cannot stay chosen.
        state["people_status"] = [name for name in chosen if name in found.statuses]
    left, sorting, right = st.columns([4, 3, 2])
    left.text_input("Search", key="people_search", placeholder="Any id or label")
    sorting.selectbox("Order", ORDERS, key="people_order")
    st.pills(
        "Status", list(found.statuses), selection_mode="multi", key="people_status",
        format_func=lambda name: f"{name.replace('_', ' ')} {found.statuses[name]}",
    )  # fmt: skip
    if pages > 1:
        right.number_input(f"Page of {pages}", 1, pages, key="people_page")
    return found


def _live(console: ConsoleSession, kind: Kind) -> None:
    """Who is there and who may need help, looked at again every few seconds."""
    views = [console.app.live.view(kind)]

    @st.fragment(run_every=REFRESH_SECONDS)
    def live() -> None:
        # The page itself has just looked at who it is drawn for; a fragment that runs alone does so here.
        if not views and not still_here(console):
            return
        view = views.pop() if views else console.app.live.view(kind)
        if view.stages:
            st.html(_stages(view) + _needs(view))

    live()


def _stages(view: LiveView) -> str:
    header = ("Stage", "There now", *NEEDS.values())
    rows = [(stage.title, stage.here, *(stage.needs.get(need) or "" for need in NEEDS)) for stage in view.stages]
    label = "There now"
    return tables.heading(label) + tables.table(header, rows, numbers=range(1, len(header)), label=label)


def _needs(view: LiveView) -> str:
    if not view.people:
        return tables.note("None of them seems to need help.")
    rows = [(_link(one.id), one.came_as, one.stage, NEEDS.get(one.need, ""), one.why) for one in view.people[:SHOWN]]
    label, more = "May need help now", len(view.people) - SHOWN
    drawn = tables.table(("Participant", "Came as", "Stage", "State", "Why"), rows, label=label)
    return tables.heading(label) + drawn + (tables.note(f"and {more} more") if more > 0 else "")


def _link(participant_id: str) -> tables.Html:
    address = f"/participants?who={quote(participant_id)}"
    return tables.Html(f'<a href="{address}" target="_self">{tables.code(participant_id)}</a>')


def _table(console: ConsoleSession, people: tuple[ParticipantSummary, ...], arms: bool) -> str:
    now = console.app.context.now()
    header = ["Participant", "Came as", "Status", "Stage", "Step", "In stage", "In all", "Last seen"]
    rows = []
    for person in people:
        status = tables.status(person.status)
        if person.exclusion_reason:
            status = tables.Html(f"{status} {tables.cell(person.exclusion_reason)}")
        if person.paused_at is not None:
            status = tables.Html(f"{status} {tables.badge('paused', 'warm')}")
        if person.data_withdrawn:
            status = tables.Html(f"{status} {tables.badge('data withdrawn', 'warm')}")
        row: list[object] = [_link(person.id), person.came_as, status, person.stage, person.step]
        row += [tables.minutes(person.minutes_in_stage), tables.minutes(person.minutes_in_all)]
        row += [tables.ago(person.last_seen_at, now)]
        rows.append(row + ([person.arm, person.stratum, person.allocation_index] if arms else []))
    header += ["Arm", "Stratum", "Index"] if arms else []
    return tables.table(header, rows, numbers=(5, 6), label="Participants")
