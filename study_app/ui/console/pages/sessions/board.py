"""Sessions of a study with several: who waits, who is due, who was reminded.

| Shows | Records |
| --- | --- |
| who waits for a later session, is due, has begun or has missed it | a link that leads one person back in (role full) |
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from study_app.services.researcher.panel.due import DuePerson
from study_app.ui.console import html as tables
from study_app.ui.console.session import WAY_IN, ConsoleSession

STATES = ("waiting", "due", "begun", "missed")
_TONES = {"due": "warm", "missed": "bad", "begun": "good"}
SIZE = 100
"""People on one page of the list."""


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    console.head("Sessions", "Who is due for a later session. Reminders are sent by study remind, each once.")
    if len(console.app.study.sessions) < 2:
        st.html(tables.note("This study has one session. docs/how-to/sessions.md says how to give it more."))
        return
    people = console.monitor.due(console.kind())
    counts = Counter[str](person.state for person in people)
    st.html(tables.tiles([(state.capitalize(), counts[state], "") for state in STATES]))
    if not people:
        st.html(tables.note("No participant is due for a later session."))
        return
    _list(people)
    if console.full:
        _let_in(console, people)


def _list(people: Sequence[DuePerson]) -> None:
    left, right = st.columns([2, 1])
    chosen = left.segmented_control("Show", STATES, selection_mode="multi", default=STATES, key="sessions_states")
    found = [person for person in people if person.state in (chosen or STATES)]
    pages = max(1, -(-len(found) // SIZE))
    page = int(right.number_input(f"Page of {pages}", 1, pages, 1, key="sessions_page"))
    rows = [_person_row(person) for person in found[(page - 1) * SIZE : page * SIZE]]
    header = ("Participant", "Label", "Session", "State", "Opens (UTC)", "Closes (UTC)", "Reminded")
    st.html(tables.table(header, rows, numbers=[6], label="People due for a later session"))


def _person_row(person: DuePerson) -> tuple[object, ...]:
    reminded = "wants none" if person.opted_out else person.reminded
    return (
        tables.code(person.participant.id),
        person.participant.label or "",
        person.session.id,
        tables.badge(person.state, _TONES.get(person.state, "quiet")),
        tables.moment(person.opens_at),
        tables.moment(person.closes_at) if person.closes_at else "never",
        reminded,
    )


def _let_in(console: ConsoleSession, people: Sequence[DuePerson]) -> None:
    with st.expander("Let one person back in"), st.form("sessions_let_in", border=False):
        who = st.selectbox("Participant", [person.participant.id for person in people], key="sessions_who")
        reason = st.text_input("Why?", key="sessions_reason")
        st.caption(WAY_IN)
        if st.form_submit_button("Make the link"):
            made: list[str] = []
            name = console.person.name
            if console.attempt(
                lambda: made.append(console.app.acts.let_in_again(who, reason, name)), "Made and recorded"
            ):
                st.html(tables.note("Put the study's public address before it. Shown once."))
                st.code(f"/enter?move={made[0]}", language=None)
