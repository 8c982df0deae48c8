"""Recruitment and payments.

| Shows | Records |
| --- | --- |
| places and quotas, whether recruitment is paused, payments | a pause and its end, why; downloads of payments |
"""

from __future__ import annotations

import streamlit as st

from study_app.services.attending.paying import Payment, payments
from study_app.services.attending.recruiting import RecruitmentView
from study_app.ui.console import html as tables
from study_app.ui.console.pages.recruiting.panel import panel
from study_app.ui.console.session import ConsoleSession, file_link

SHOWN = 50


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    console.head("Recruiting", "Who is let in, and what participants are paid.")
    state, context = console.monitor.state(), console.app.context
    with context.registry.begin(write=False) as unit:
        # Read once for both: a trial may have ten thousand people.
        people = unit.participants_of("real")
        view = console.app.recruiting.view_in(unit, people=people)
        paid = payments(context, unit, people=people) if console.full else []
    open_to = "paused" if view.paused_since else {"launched": "open"}.get(state, state)
    places = f"{view.places_taken} of {view.target_n}"
    st.html(tables.tiles([("Recruitment", open_to, ""), ("Places taken", places, "")]))
    if view.paused_since is not None:
        st.html(tables.note(f"Paused since {tables.moment(view.paused_since)} UTC: newcomers read a kind page."))
    if view.quotas:
        st.html(tables.heading("Quotas") + _quotas(view))
    if state == "launched":
        _pause(console, paused=view.paused_since is not None)
    if console.full:
        _payments(paid)
        if console.app.study.recruitment.entry == "prolific":
            panel(console)


def _quotas(view: RecruitmentView) -> str:
    rows = [
        (fill.quota.question, fill.quota.answer, f"{fill.taken} of {fill.limit}", tables.bar(fill.taken, fill.limit))
        for fill in view.quotas
    ]
    return tables.table(("Question", "Answer", "Taken", ""), rows, label="Quotas")


def _pause(console: ConsoleSession, *, paused: bool) -> None:
    title = "Let newcomers in again" if paused else "Pause recruitment"
    with st.expander(title), st.form("recruitment", clear_on_submit=True, border=False):
        reason = st.text_input("Why go on?" if paused else "Why a pause?", key="recruitment_reason")
        st.caption("Participants who are in go on in any case.")
        if st.form_submit_button("Go on" if paused else "Pause"):
            act, name = (console.app.recruiting.resume if paused else console.app.recruiting.pause), console.person.name
            if console.attempt(lambda: act(reason, name), "Recorded"):
                st.rerun()


def _payments(found: list[Payment]) -> None:
    st.html(tables.heading("Payments"))
    if not found:
        st.html(tables.note("There are no real participants to be paid yet."))
        return
    waiting = sum(paid.bonus is None for paid in found)
    total = sum(paid.bonus or 0.0 for paid in found)
    said = f"Payments: {len(found)}, bonuses of {total:.2f} in all" + (
        f"; {waiting} wait for scores" if waiting else ""
    )
    st.html(tables.note(said + "."))
    st.html(_table(found[::-1][:SHOWN]) + file_link("/download/payments.csv", "Payments (CSV)", main=True))


def _table(found: list[Payment]) -> str:
    rows = [
        (
            paid.prolific_pid or paid.label or paid.participant_id,
            paid.session,
            tables.status(paid.status),
            tables.code(paid.code) if paid.code else "",
            tables.minutes(paid.minutes),
            "" if paid.bonus is None else f"{paid.bonus:.2f}",
        )
        for paid in found
    ]
    header = ("Participant", "Session", "Status", "Code", "Minutes", "Bonus")
    return tables.table(header, rows, numbers=(4, 5), label="Payments")
