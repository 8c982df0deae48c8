"""Submissions and quiz answers that no run could judge, and imports that a person may want to look at.

| Shows | Records |
| --- | --- |
| submissions and answers without a verdict and why; unusual imports | gradings and scorings to be tried again |
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from study_app.domain.records import Answer, RunRecord
from study_app.services.grading.queue import retry, with_review, without_verdict
from study_app.ui.console import html as tables
from study_app.ui.console.session import ConsoleSession

_WHY = {"failed": "grading failed", "inconclusive": "machine too busy"}
_TONES = {"failed": "bad", "inconclusive": "warm"}


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    console.head("Verdicts", "Submissions whose outcomes are missing until they are graded, and imports worth a look.")
    context = console.app.context
    st.header("Without a verdict", anchor=False)
    _without(console, without_verdict(context))
    st.header("Quiz answers without points", anchor=False)
    _answers(console, console.app.scoring.inconclusive())
    st.header("Unusual imports", anchor=False)
    _imports(with_review(context))


def _without(console: ConsoleSession, runs: Sequence[RunRecord]) -> None:
    if not runs:
        st.html(tables.note("Every submission that was graded has a verdict."))
        return
    st.html(
        tables.table(
            ("Participant", "Task", "Submitted (UTC)", "Why", "Reason", "Repeats"),
            [
                (
                    run.participant_id,
                    run.task,
                    tables.moment(run.started_at),
                    tables.badge(_WHY[run.grading or "failed"], _TONES[run.grading or "failed"]),
                    run.grading_reason,
                    run.repeats,
                )
                for run in runs
            ],
            numbers=(5,),
            label="Submissions without a verdict",
        )
    )
    names = {run.id: f"{run.participant_id}, {run.task}" for run in runs}
    chosen = st.selectbox("Submission", list(names), format_func=lambda name: names[name], key="verdict_retry")
    if st.button("Grade again", key="grade_again") and chosen:
        done = console.attempt(
            lambda: retry(console.app.context, chosen, console.person.name), "It will be graded again"
        )
        if done:
            st.rerun()


def _answers(console: ConsoleSession, answers: Sequence[Answer]) -> None:
    if not answers:
        st.html(tables.note("The checks of every scored answer came to an end."))
        return
    columns = ("Participant", "Quiz", "Item", "Handed in (UTC)", "Reason", "Repeats")
    rows = [
        (one.participant_id, one.stage, one.item, tables.moment(one.saved_at), one.scoring_reason, one.repeats)
        for one in answers
    ]
    st.html(tables.table(columns, rows, numbers=(5,), label="Quiz answers without points"))
    names = [f"{one.participant_id}, {one.stage}, {one.item}" for one in answers]
    chosen = st.selectbox("Answer", range(len(answers)), format_func=names.__getitem__, key="answer_retry")
    if st.button("Score again", key="score_again"):
        one = answers[chosen]
        retry_scoring = console.app.scoring.retry
        if console.attempt(
            lambda: retry_scoring(one.participant_id, one.stage, one.item, console.person.name),
            "It will be scored again",
        ):
            st.rerun()


def _imports(runs: Sequence[RunRecord]) -> None:
    if not runs:
        st.html(tables.note("No submission imports anything that honest solutions do not need."))
        return
    rows = [
        (run.participant_id, run.task, tables.moment(run.started_at), run.review.replace(";", ", ")) for run in runs
    ]
    st.html(tables.table(("Participant", "Task", "Submitted (UTC)", "Imports"), rows, label="Unusual imports"))
    st.html(tables.note("They decide nothing: read the program in its replay before you judge it."))
