"""Answers that wait for a person, one at a time; one's own ratings; where raters disagree; how well they agree.

| Shows | Records |
| --- | --- |
| item, answer, rubric, yardstick; neither participant, arm nor other ratings | ratings; their mean as the points |
| one's own ratings | corrections; the rating before is kept |
| answers that people rated differently, without their names | what the answer is worth, with a reason |
| agreement of raters, computed by the analysis on an export | nothing |
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from study_app.domain.errors import NotAllowed
from study_app.domain.quiz.judged_by_people import steps_to
from study_app.domain.records import Kind
from study_app.services.researcher.judging.rating import AnswerForRating, RatingQueue
from study_app.ui.console import html as tables
from study_app.ui.console.held import held
from study_app.ui.console.pages.grading_agreement import agreement
from study_app.ui.console.session import ConsoleSession
from study_app.ui.console.settling import settle_form, settling_note

RATE, OWN, DISAGREEMENTS, AGREEMENT = PARTS = ("Rate", "Your ratings", "Disagreements", "Agreement")


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    console.head("Grading", "Quiz answers that no key can score. You see neither who wrote them nor in which arm.")
    kind = console.kind()
    part = st.segmented_control(
        "Part", PARTS, default=RATE, key="grading_part", label_visibility="collapsed", required=True
    )
    if part == AGREEMENT:
        agreement(console, kind)
        return
    drawn = {OWN: _own, DISAGREEMENTS: _disagreements}.get(part or RATE, _rate)
    drawn(console, RatingQueue(console.app.context), kind)


def _rate(console: ConsoleSession, ratings: RatingQueue, kind: Kind) -> None:
    waiting = ratings.answers_for(console.person.name, kind)
    if not waiting:
        st.html(tables.note("Nothing to rate."))
        return
    fresh = sum(view.raters == 0 for view in waiting)
    st.html(
        tables.note(f"{len(waiting)} to rate: {fresh} for the first time, {len(waiting) - fresh} as another rater.")
    )
    # Unrated answers come first, so that another person's rating changes the order.
    view = held(waiting, lambda each: each.object, f"rate_shown:{kind}")
    left, right = st.columns([11, 9], gap="large")
    with left:
        _answer(view)
    with right:
        _yardstick(view)
        with st.form(f"rate:{view.object}", border=False):
            awarded = _points(view, {}, "rate")
            saved = st.form_submit_button("Save rating", type="primary")
            if saved and console.attempt(
                lambda: ratings.rate(console.person.name, view.object, _chosen(awarded)), "Saved"
            ):
                st.rerun()


def _own(console: ConsoleSession, ratings: RatingQueue, kind: Kind) -> None:
    mine = ratings.own(console.person.name, kind)
    if not mine:
        st.html(tables.note("You have rated nothing yet."))
        return
    st.html(
        tables.note(
            f"{len(mine)} rated by you. A correction counts from now on; the rating before it is "
            "kept. What is settled, or what you have seen others' ratings of, stays as it is."
        )
    )
    chosen = st.selectbox(
        "Answer",
        range(len(mine)),
        format_func=lambda n: f"{mine[n].answer.item.id}: {mine[n].answer.response[:60]}",
        key="own_rating",
    )
    own = mine[chosen or 0]
    left, right = st.columns([11, 9], gap="large")
    with left:
        _answer(own.answer)
    with right:
        _yardstick(own.answer)
        with st.form(f"correct:{own.answer.object}", border=False):
            awarded = _points(own.answer, own.awarded, "correct")
            saved = st.form_submit_button("Correct rating", type="primary")
            if saved and console.attempt(
                lambda: ratings.rate(console.person.name, own.answer.object, _chosen(awarded)), "Corrected"
            ):
                st.rerun()


def _disagreements(console: ConsoleSession, ratings: RatingQueue, kind: Kind) -> None:
    open_ones = ratings.disputes(console.person.name, kind)
    if not open_ones:
        st.html(tables.note("No disagreement to settle."))
        return
    settling_note(len(open_ones), "rate", "answers")
    first = held(open_ones, lambda each: each.answer.object, f"settle_shown:{kind}")
    ratings.look(console.person.name, first.answer.object)
    left, right = st.columns([11, 9], gap="large")
    with left:
        _answer(first.answer)
        header = ("Rater", *(text for _, text, _ in first.answer.criteria))
        names = [name for name, _, _ in first.answer.criteria]
        rows = [
            (f"Rater {n}", *(f"{each.get(name, 0):g}" for name in names)) for n, each in enumerate(first.ratings, 1)
        ]
        st.html(tables.table(header, rows, label="Ratings of this answer"))
    with right:
        _yardstick(first.answer)
        what = first.answer.object
        settle_form(
            console,
            what,
            lambda: _points(first.answer, {}, "settle"),
            lambda awarded, reason: ratings.settle(console.person.name, what, _chosen(awarded), reason),
        )


def _answer(view: AnswerForRating) -> None:
    st.header("Question", anchor=False)
    st.html(tables.note(view.source))
    st.markdown(view.item.prompt)
    if view.item.code:
        st.html(tables.pre(view.item.code, small=True))
    st.header("Answer", anchor=False)
    st.html(tables.pre(view.response))


def _yardstick(view: AnswerForRating) -> None:
    st.header("Yardstick", anchor=False)
    for sample in view.accepted:
        st.html(tables.pre(sample, small=True))
    if view.why:
        # Authors write the reason in Markdown, as they write the question.
        st.caption(view.why)


def _points(view: AnswerForRating, before: Mapping[str, float], act: str) -> dict[str, float | None]:
    """Draw a field for each criterion; None stands in one without a choice."""
    awarded = {}
    for name, text, most in view.criteria:
        # With what was given before, which another version of the board or a file may have given in other steps.
        steps = sorted({*steps_to(most), *([before[name]] if name in before else [])})
        awarded[name] = st.radio(
            f"{text} (0 to {most:g})", steps, index=steps.index(before[name]) if name in before else None,
            format_func=lambda points: f"{points:g}", horizontal=True, key=f"{act}:{view.object}:{name}",
        )  # fmt: skip
    return awarded


def _chosen(awarded: Mapping[str, float | None]) -> dict[str, float]:
    """Return the points of every criterion.

    Raises:
        NotAllowed: one has no choice.
    """
    found = {name: points for name, points in awarded.items() if points is not None}
    if len(found) < len(awarded):
        raise NotAllowed("choose points for each criterion; 0 is a choice, too")
    return found
