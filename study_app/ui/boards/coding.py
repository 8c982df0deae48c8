"""Queries to the assistant, coded by hand, one at a time.

| Shows | Records |
| --- | --- |
| message, earlier turns, program; neither outcome, participant nor other codes | codes; who opened the board |
"""

from __future__ import annotations

import streamlit as st

from study_app.services.rating import LABELS, Ratings, ToCode
from study_app.ui.boards import tables
from study_app.ui.boards.desk import Desk

MEANINGS = {
    "explanation": "Wants to understand: a concept, a call, code, an instruction, or whether an idea is right.",
    "generation": "Wants code written or changed for the task, or hands over the task itself.",
    "debugging": "Something fails and the cause or a fix is wanted.",
    "capability": "About the assistant: what it knows, sees or can do.",
    "appreciation": "Thanks or praise.",
}
SEEN = "queries"


def draw(desk: Desk) -> None:
    """Draw the board."""
    desk.head("Coding", "What participants wanted of the assistant. Several labels may fit, or none.")
    kind = desk.kind()
    if kind == "real" and not desk.monitor.has_seen(desk.person.name, SEEN):
        st.warning(
            "Queries come from arms with an assistant. If you open them, you count as unblinded, and it is recorded."
        )
        if st.button("Open and record", key="open_queries", type="primary"):
            desk.monitor.note_sight(desk.person.name, SEEN, kind)
            st.rerun()
        return
    ratings = Ratings(desk.app.world)
    waiting = ratings.queries_for(desk.person.name, kind)
    if not waiting:
        st.html(tables.note("Nothing waits for you."))
        return
    st.html(tables.note(f"{len(waiting)} to code."))
    _query(desk, ratings, waiting[0])


def _query(desk: Desk, ratings: Ratings, view: ToCode) -> None:
    left, right = st.columns([11, 9], gap="large")
    with left:
        st.subheader("Message", anchor=False)
        st.html(tables.pre(view.message))
        with st.expander(f"Before it: {len(view.before)} turn(s)"):
            for message, reply in view.before[-5:]:
                st.html(tables.pre(message, small=True) + tables.note("was answered") + tables.pre(reply, small=True))
        with st.expander("The program at that moment"):
            st.html(tables.pre(view.code, small=True))
    with right, st.form(f"code:{view.turn_id}", border=False):
        st.subheader("Labels", anchor=False)
        chosen = [
            label for label in LABELS
            if st.checkbox(f"**{label}**  \n{MEANINGS[label]}", key=f"code:{view.turn_id}:{label}")
        ]  # fmt: skip
        saved = st.form_submit_button("Save codes", type="primary")
        if saved and desk.attempt(lambda: ratings.code(desk.person.name, view.turn_id, chosen), "Saved"):
            st.rerun()
