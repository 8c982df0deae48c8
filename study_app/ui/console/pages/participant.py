"""One participant: where they are, what happened, what researchers did, and what can be done for them.

| Shows | Records |
| --- | --- |
| facts, visits, timeline, notes, acts; never the arm before it may be shown | every act, with its reason |
"""

from __future__ import annotations

import json
from collections.abc import Callable
from math import ceil
from urllib.parse import quote

import streamlit as st

from study_app.services.attending.acts import NOTE
from study_app.services.attending.participant_page import ParticipantPage, ParticipantViews
from study_app.services.attending.single_answers import GivenAnswer
from study_app.services.attending.timeline import SOURCES
from study_app.services.researcher.console_views import ParticipantSummary
from study_app.services.researcher.monitoring import arms_visible
from study_app.ui.console import html as tables
from study_app.ui.console.session import KIND_NAMES, WAY_IN, ConsoleSession

SHOWN = 200
"""Lines of the timeline on one page."""


def draw_one(console: ConsoleSession, views: ParticipantViews, participant_id: str) -> None:
    """Draw the page of a participant."""
    view = views.one(participant_id, work=console.full)
    if view is None:
        st.html(tables.note(f"There is no participant {participant_id} in this study."))
        return
    st.html(f'<h2 class="sc-heading">Participant {tables.code(view.summary.id)}</h2>')
    st.html(_facts(console, view))
    _acts(console, view)
    _timeline(view)
    _answers(console, view)
    st.html(tables.heading("Visits (UTC)") + _visits(view))
    if console.full:
        address = f"/replay?who={quote(view.summary.id)}"
        st.html(f'<p class="sc-note"><a href="{address}" target="_self">Programs, chats and edits: the replay</a>, '
                "which shows the arm and is recorded.</p>")  # fmt: skip


def _facts(console: ConsoleSession, view: ParticipantPage) -> str:
    person, now = view.summary, console.app.context.now()
    where = person.stage + (f", {person.step}" if person.step else "") if person.stage else "the way is over"
    rows: list[tuple[str, object]] = [
        ("Kind", KIND_NAMES[person.kind]),
        *view.ids,
        ("Status", tables.status(person.status)),
        ("Where", where),
        ("Minutes in stage, in all", f"{tables.minutes(person.minutes_in_stage) or '–'}, "
                                     f"{tables.minutes(person.minutes_in_all)}"),
        ("Last seen", tables.ago(person.last_seen_at, now)),
        ("Version of the study", tables.code(view.study_hash[:12])),
        ("Paused since", tables.moment(person.paused_at)),
        ("Excluded", person.exclusion_reason),
        ("Message on their pages", view.message),
    ]  # fmt: skip
    if arms_visible(console.monitor.state(), person.kind):
        rows += [("Arm", person.arm), ("Stratum", person.stratum), ("Place in the ledger", person.allocation_index)]
        rows += _second_decision(person)
    return tables.facts(rows)


def _second_decision(person: ParticipantSummary) -> list[tuple[str, object]]:
    """Return what was decided on a participant who came to a second decision."""
    if person.responded is None:
        return []
    if person.responded:
        return [("Second decision", "responded, goes on")]
    return [("Second treatment", person.second_treatment), ("Place in the second ledger", person.second_index)]


def _timeline(view: ParticipantPage) -> None:
    label = "Timeline (UTC)"
    st.html(tables.heading(label))
    there = [source for source in SOURCES if any(entry.source == source for entry in view.timeline)]
    chosen = st.pills("Only", there, selection_mode="multi", key="timeline_sources") or there
    entries = [entry for entry in reversed(view.timeline) if entry.source in chosen]
    pages = max(1, ceil(len(entries) / SHOWN))
    page = 1
    if pages > 1:
        page = int(st.number_input(f"Page of {pages}, the newest first", 1, pages, key="timeline_page"))
    rows = [
        (entry.at.strftime("%Y-%m-%d %H:%M:%S"), entry.source, entry.stage, entry.what, entry.detail)
        for entry in entries[(page - 1) * SHOWN : page * SHOWN]
    ]
    st.html(tables.table(("When", "Kind", "Stage", "What", "Detail"), rows, label=label))


def _visits(view: ParticipantPage) -> str:
    rows = [
        (title, tables.moment(visit.started_at), tables.moment(visit.deadline_at), tables.moment(visit.ended_at),
         (visit.ended_by or "").replace("_", " "))
        for title, visit in view.visits
    ]  # fmt: skip
    return tables.table(("Stage", "Opened", "Deadline", "Ended", "By"), rows, label="Visits")


def _answers(console: ConsoleSession, view: ParticipantPage) -> None:
    """Answers to surveys, for people who may see work; each can be erased at the participant's request."""
    if not console.full or not view.answers:
        return
    with st.expander("Answers to surveys"):
        rows = [(one.stage, one.question, one.prompt, json.dumps(one.response, ensure_ascii=False))
                for one in view.answers]  # fmt: skip
        st.html(tables.table(("Stage", "Question", "Asked", "Answer"), rows, label="Answers to surveys"))
        erasable = {f"{one.stage}: {one.question}": one for one in view.answers if not one.kept_because}
        if erasable and not view.summary.data_withdrawn:
            _erase_answer(console, view.summary.id, erasable)


def _erase_answer(console: ConsoleSession, who: str, erasable: dict[str, GivenAnswer]) -> None:
    with st.form("erase_answer", clear_on_submit=True, border=False):
        chosen = st.selectbox("Erase one answer", list(erasable), index=None, key="erase_answer_which")
        reason = st.text_input("Why erase it?", key="erase_answer_reason")
        st.caption("The answer and every trace of it in the log are deleted permanently. Answers on which the way, the "
                   "allocation or the outcome rests are deleted with all data only.")  # fmt: skip
        if st.form_submit_button("Erase the answer") and chosen is not None:
            one, name = erasable[chosen], console.person.name
            act = console.app.acts.erase_answer
            _done(console, lambda: act(who, one.stage, one.question, reason, name), "Erased and recorded")


# -- acts --------------------------------------------------------------------------------------------------------------


def _acts(console: ConsoleSession, view: ParticipantPage) -> None:
    st.html(tables.heading("What can be done"))
    who, over = view.summary.id, not view.summary.stage
    left, right = st.columns(2, gap="large")
    with left:
        if not over:
            _extend(console, who)
            _pause(console, who, paused=view.summary.paused_at is not None)
        if console.full:
            _let_in(console, who)
        _message(console, who, view.message)
        _note(console, who)
    with right:
        _exclude(console, who, erased=view.summary.data_withdrawn)
        if console.full:
            _unblind(console, who)
            if not over:
                _end(console, who)
            if not view.summary.data_withdrawn:
                _erase(console, who)
        _reopen(console, who)


def _done(console: ConsoleSession, act: Callable[[], object], said: str) -> None:
    if console.attempt(act, said):
        st.rerun()


def _extend(console: ConsoleSession, who: str) -> None:
    with st.expander("Extend the deadline"), st.form("extend", clear_on_submit=True, border=False):
        minutes = st.number_input("More minutes on the present stage", 1.0, 1440.0, 5.0, key="extend_minutes")
        reason = st.text_input("Why more time?", key="extend_reason")
        st.caption("The cap of the time outcome does not move; the extension is listed as a deviation.")
        if st.form_submit_button("Extend"):
            name = console.person.name
            _done(console, lambda: console.app.acts.extend(who, minutes, reason, name), "Extended and recorded")


def _pause(console: ConsoleSession, who: str, *, paused: bool) -> None:
    title, button = ("Resume after the pause", "Resume") if paused else ("Pause", "Pause now")
    with st.expander(title), st.form("pause", clear_on_submit=True, border=False):
        reason = st.text_input("Why resume now?" if paused else "Why a pause?", key="pause_reason")
        st.caption(
            "They go on with the time that was left, within a few seconds."
            if paused
            else "The clock stops and a page says so; what they wrote is kept. The minutes exclude the pause."
        )
        if st.form_submit_button(button):
            act, name = (console.app.acts.resume if paused else console.app.acts.pause), console.person.name
            _done(console, lambda: act(who, reason, name), "Resumed and recorded" if paused else "Paused and recorded")


def _let_in(console: ConsoleSession, who: str) -> None:
    with st.expander("Let in again"), st.form("let_in", clear_on_submit=True, border=False):
        reason = st.text_input("Why a new link?", key="let_in_reason")
        st.caption(WAY_IN)
        if st.form_submit_button("Make the link"):
            made: list[str] = []
            name = console.person.name
            if console.attempt(
                lambda: made.append(console.app.acts.let_in_again(who, reason, name)), "Made and recorded"
            ):
                st.html(tables.note("Put the study's public address before it. Shown once."))
                st.code(f"/enter?move={made[0]}", language=None)


def _message(console: ConsoleSession, who: str, present: str) -> None:
    with st.expander("Message on their pages"), st.form("message", border=False):
        text = st.text_area("Message", present, key="message_text", max_chars=1000)
        reason = st.text_input("Why this message?", key="message_reason")
        st.caption("Stands above every page that they open from now on; empty takes it away. Write nothing about arms.")
        if st.form_submit_button("Show the message"):
            name = console.person.name
            _done(console, lambda: console.app.acts.message(who, text, reason, name), "Shown and recorded")


def _note(console: ConsoleSession, who: str) -> None:
    with st.expander("Note for researchers"), st.form("note", clear_on_submit=True, border=False):
        text = st.text_area("Note", key="note_text")
        st.caption(f"Kept in the audit log as '{NOTE}'; participants never see it.")
        if st.form_submit_button("Keep the note"):
            _done(console, lambda: console.app.acts.note(who, text, console.person.name), "Kept")


def _end(console: ConsoleSession, who: str) -> None:
    with st.expander("End the participation"), st.form("end", clear_on_submit=True, border=False):
        reason = st.text_input("Why end it?", key="end_reason")
        st.caption("As if they had left the study themselves; their data stay. Cannot be undone.")
        if st.form_submit_button("End it"):
            _done(console, lambda: console.app.acts.end(who, reason, console.person.name), "Ended and recorded")


def _erase(console: ConsoleSession, who: str) -> None:
    with st.expander("Erase the data"), st.form("erase", clear_on_submit=True, border=False):
        reason = st.text_input("Why erase them?", key="erase_reason")
        sure = st.checkbox("Delete everything this person wrote", key="erase_sure")
        st.caption("Programs, messages, answers and edits are deleted permanently; the place in the ledger stays.")
        if st.form_submit_button("Erase") and sure:
            _done(console, lambda: console.app.acts.erase(who, reason, console.person.name), "Erased and recorded")


def _exclude(console: ConsoleSession, participant_id: str, *, erased: bool) -> None:
    with st.form("exclude", clear_on_submit=True):
        reason = st.text_input("Why exclude this participant from the analysis?", key="exclude_reason")
        st.caption("Recorded, listed in the report, cannot be undone. Decide without knowing the arm.")
        if erased:
            st.caption("Their data are deleted: who excludes them and when is kept, the reason is not.")
        if st.form_submit_button("Exclude"):
            done = console.attempt(
                lambda: console.app.lifecycle.exclude(participant_id, reason, console.person.name),
                "Excluded and recorded",
            )
            if done:
                st.rerun()


def _reopen(console: ConsoleSession, participant_id: str) -> None:
    stage = console.monitor.reopenable(participant_id)
    if stage is None:
        return
    label = f"Minutes left of '{stage.id}', which its deadline ended"
    with st.form("reopen", clear_on_submit=True):
        minutes = st.number_input(label, 1.0, float(stage.minutes or 1), key="reopen_minutes")
        reason = st.text_input("Why reopen it?", key="reopen_reason")
        st.caption("For a wrong clock or a failure of the server. Recorded; the next stage must not have begun.")
        if st.form_submit_button("Reopen the stage"):
            name, reopen = console.person.name, console.app.reopening.reopen
            if console.attempt(
                lambda: reopen(participant_id, stage.id, minutes, reason, name), "Reopened and recorded"
            ):
                st.rerun()


def _unblind(console: ConsoleSession, participant_id: str) -> None:
    with st.form("unblind", clear_on_submit=True):
        reason = st.text_input("Why do you need this participant's arm?", key="unblind_reason")
        st.caption("Recorded and reported; you count as unblinded from then on. Shown once.")
        if st.form_submit_button("Unblind"):
            revealed: list[str] = []

            def act() -> None:
                revealed.append(console.app.lifecycle.unblind(participant_id, reason, console.person.name))

            if console.attempt(act, "Recorded"):
                st.info(f"{participant_id} is in the arm {revealed[0]}.")
