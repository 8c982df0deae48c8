"""Interviews, coded by people one at a time; where they disagree, what is quoted, how interviews were held.

| Shows | Records |
| --- | --- |
| one interview, the codebook; neither participant, arm nor codes of others or programs | codes; who opened the board |
| answers that people coded differently, without their names | the settled codes, with a reason |
| answers of themes that enough people have, where consent allows it | the words that a person released |
| an interview of the sample, and five criteria | how well it met each |
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from study_app.domain.records import Kind
from study_app.domain.themes.codebook import Codebook
from study_app.domain.themes.marks import AUDIT_CRITERIA, AUDIT_SCALE, LEAST_QUOTED
from study_app.domain.themes.transcripts import InterviewText, Passage
from study_app.services.researcher.themes.board import InterviewBoard
from study_app.services.researcher.themes.gold import GoldSample
from study_app.services.researcher.themes.quoting import REMOVED, Quotes
from study_app.ui.console import html as tables
from study_app.ui.console.held import held
from study_app.ui.console.session import ConsoleSession
from study_app.ui.console.settling import settle_form, settling_note

SEEN = "interviews"
CODE, DISAGREEMENTS, QUOTES, HELD = PARTS = ("Code", "Disagreements", "Quotes", "How it was held")


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    console.head("Interviews", "Which themes participants speak of. Several codes may fit an answer, or none.")
    kind = console.kind()
    if kind == "real" and not console.monitor.is_unblinded(console.person.name, SEEN):
        st.warning(
            "What people say of their work can tell their arm. If you open interviews, you count as unblinded, and it "
            "is recorded."
        )
        if st.button("Open and record", key="open_interviews", type="primary"):
            console.monitor.record_unblinding(console.person.name, SEEN, kind)
            st.rerun()
        return
    board = InterviewBoard(console.app.context)
    book = board.book()
    if book is None:
        st.html(tables.note("No codebook is frozen yet: study code interviews induce, or freeze FILE."))
        return
    status = GoldSample(console.app.context).status(kind)
    st.html(tables.note(" ".join(status.lines())))
    part = st.segmented_control(
        "Part", PARTS, default=CODE, key="interviews_part", label_visibility="collapsed", required=True
    )
    if part == QUOTES:
        _quotes(console, book, kind)
    elif part == HELD:
        _held(console, board, kind)
    else:
        (_disagreements if part == DISAGREEMENTS else _code)(console, board, book, kind)


def _code(console: ConsoleSession, board: InterviewBoard, book: Codebook, kind: Kind) -> None:
    waiting = board.waiting(console.person.name, kind)
    if not waiting:
        st.html(tables.note("Nothing waits for you."))
        return
    st.html(tables.note(f"{len(waiting)} to code."))
    first = held(waiting, lambda each: each.interview_id, f"interview_shown:{kind}")
    with st.form(f"themes:{first.interview_id}", border=False):
        chosen = {topic: _topic(first, topic, book) for topic in first.topics}
        saved = st.form_submit_button("Save codes", type="primary")
    name = console.person.name
    if saved and console.attempt(lambda: board.code(name, first.interview_id, chosen), "Saved"):
        st.rerun()


def _topic(transcript: InterviewText, topic: str, book: Codebook) -> list[str]:
    """Draw one topic with its codes; returns those chosen."""
    left, right = st.columns([11, 9], gap="large")
    with left:
        _passages(topic, transcript.on(topic))
    with right:
        return _codes(f"{transcript.interview_id}#{topic}", topic, book)


def _passages(topic: str, passages: Sequence[Passage]) -> None:
    st.header(f"Topic: {topic}", anchor=False)
    for passage in passages:
        st.html(tables.note(passage.question) + tables.pre(passage.answer or "(no answer)"))


def _codes(key: str, topic: str, book: Codebook) -> list[str]:
    st.subheader(f"Codes of {topic}", anchor=False)
    marked = []
    for code in book.of_topic(topic):
        # A name without Markdown, for Streamlit hands it to screen readers as it is; the definition wraps below it.
        if st.checkbox(code.title, key=f"themes:{key}:{code.id}"):
            marked.append(code.id)
        st.html(tables.note(code.definition))
    return marked


def _disagreements(console: ConsoleSession, board: InterviewBoard, book: Codebook, kind: Kind) -> None:
    open_ones = board.disagreements(console.person.name, kind)
    if not open_ones:
        st.html(tables.note("Nothing to settle for you."))
        return
    settling_note(len(open_ones), "code", "")
    first = held(open_ones, lambda each: f"{each.interview_id}#{each.topic}", f"settle_interview_shown:{kind}")
    key = (first.interview_id, first.topic)
    board.look(console.person.name, key)
    left, right = st.columns([11, 9], gap="large")
    with left:
        _passages(first.topic, first.passages)
        rows = [(f"Coder {n}", ", ".join(sorted(codes)) or "none") for n, codes in enumerate(first.codings, start=1)]
        st.html(tables.table(("Coder", "Codes"), rows, label="Codes of this answer"))
    name = "#".join(key)
    with right:
        settle_form(
            console,
            name,
            lambda: _codes(f"settle:{name}", first.topic, book),
            partial(board.settle, console.person.name, key),
        )


def _quotes(console: ConsoleSession, book: Codebook, kind: Kind) -> None:
    quotes = Quotes(console.app.context)
    code = st.selectbox("Theme", book.labels, key="quoted_theme")
    found = quotes.candidates(code, kind) if code else []
    if not found:
        st.html(
            tables.note(
                f"No answer to release: fewer than {LEAST_QUOTED} people have the theme, none of them lets their words "
                "leave, or all are released."
            )
        )
        return
    st.html(tables.note(f"{len(found)} answers. What patterns found is replaced by {REMOVED}; read the whole text."))
    first = held(found, lambda each: each.interview_id, f"quote_shown:{kind}:{code}")
    left, right = st.columns(2, gap="large")
    with left:
        st.header("Answer", anchor=False)
        st.html(tables.pre(first.answer))
    with right, st.form(f"quote:{first.interview_id}:{first.topic}:{code}", border=False):
        st.header("Quote", anchor=False)
        key = f"{first.interview_id}:{first.topic}"
        words = st.text_area("Words to release", value=first.suggested, key=f"words:{key}")
        read = st.checkbox(
            "I have read it: it names no person and no place", key=f"read:{first.interview_id}:{first.topic}"
        )
        saved = st.form_submit_button("Release", type="primary")
        if saved and not read:
            st.error("Read the text and say so before it is released.")
        elif saved and console.attempt(lambda: quotes.release(console.person.name, first, words), "Released"):
            st.rerun()


def _held(console: ConsoleSession, board: InterviewBoard, kind: Kind) -> None:
    waiting = board.to_audit(console.person.name, kind)
    if not waiting:
        st.html(tables.note("Nothing waits for you: judged are the interviews of the sample that people code."))
        return
    st.html(tables.note(f"{len(waiting)} to judge, from {AUDIT_SCALE[0]} not at all to {AUDIT_SCALE[-1]} fully."))
    first = waiting[0]
    left, right = st.columns([11, 9], gap="large")
    with left:
        for topic in dict.fromkeys(each.topic for each in first.passages):
            _passages(topic, first.on(topic))
    with right, st.form(f"held:{first.interview_id}", border=False):
        judged = {
            criterion: _criterion(first.interview_id, criterion) for criterion in AUDIT_CRITERIA
        }  # fmt: skip
        saved = st.form_submit_button("Save", type="primary")
        given = {criterion: value for criterion, value in judged.items() if value is not None}
        if saved and console.attempt(lambda: board.audit(console.person.name, first.interview_id, given), "Saved"):
            st.rerun()


def _criterion(interview_id: str, criterion: str) -> int | None:
    label = f"{criterion.replace('_', ' ').capitalize()}: {AUDIT_CRITERIA[criterion]}"
    return st.radio(label, AUDIT_SCALE, index=None, horizontal=True, key=f"held:{interview_id}:{criterion}")
