"""Answers that wait for a person, one at a time.

| Shows | Records |
| --- | --- |
| item, answer, rubric, yardstick; neither participant, arm nor other ratings | ratings; their mean as the points |
"""

from __future__ import annotations

import streamlit as st

from study_app.services.rating import Ratings, ToRate
from study_app.ui.boards import tables
from study_app.ui.boards.desk import Desk


def draw(desk: Desk) -> None:
    """Draw the board."""
    desk.head("Grading", "Quiz answers that no key can score. You see neither who wrote them nor in which arm.")
    ratings = Ratings(desk.app.world)
    waiting = ratings.answers_for(desk.person.name, desk.kind())
    if not waiting:
        st.html(tables.note("Nothing waits for you."))
        return
    fresh = sum(view.raters == 0 for view in waiting)
    st.html(
        tables.note(f"{len(waiting)} to rate: {fresh} for the first time, {len(waiting) - fresh} as another rater.")
    )
    _answer(desk, ratings, waiting[0])


def _answer(desk: Desk, ratings: Ratings, view: ToRate) -> None:
    left, right = st.columns([11, 9], gap="large")
    with left:
        st.subheader("Question", anchor=False)
        st.markdown(view.item.prompt)
        if view.item.code:
            st.html(tables.pre(view.item.code, small=True))
        st.subheader("Answer", anchor=False)
        st.html(tables.pre(view.response))
    with right:
        st.subheader("Yardstick", anchor=False)
        for sample in view.accepted:
            st.html(tables.pre(sample, small=True))
        if view.why:
            st.html(tables.note(view.why))
        _form(desk, ratings, view)


def _form(desk: Desk, ratings: Ratings, view: ToRate) -> None:
    with st.form(f"rate:{view.object}", border=False):
        awarded = {}
        for name, text, most in view.criteria:
            steps = [index * 0.5 for index in range(round(most * 2) + 1)]
            awarded[name] = st.select_slider(
                f"{text} (0 to {most:g})", steps, value=0.0, format_func=lambda points: f"{points:g}",
                key=f"rate:{view.object}:{name}",
            )  # fmt: skip
        saved = st.form_submit_button("Save rating", type="primary")
        if saved and desk.attempt(lambda: ratings.rate(desk.person.name, view.object, awarded), "Saved"):
            st.rerun()
