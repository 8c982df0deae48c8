"""Everybody, one row each.

| Shows | Records |
| --- | --- |
| stage, status, minutes, last seen; arms where the state allows | exclusions, unblindings, reopened stages, why |
"""

from __future__ import annotations

import streamlit as st

from study_app.services.researcher.console_views import ParticipantSummary
from study_app.services.researcher.monitoring import arms_visible
from study_app.ui.console import html as tables
from study_app.ui.console.session import ConsoleSession


def render(desk: ConsoleSession) -> None:
    """Draw the board."""
    state = desk.monitor.state()
    desk.head("Participants", "Where each participant is, the latest to enrol first.")
    kind = desk.kind()
    people = desk.monitor.people(kind)
    if not people:
        st.html(tables.note("Nobody has enrolled yet."))
        return
    if not arms_visible(state, kind):
        st.html(tables.note("Arm, stratum and place in the ledger are hidden until the trial is unsealed."))
    st.html(_table(desk, _filtered(people), arms_visible(state, kind)))
    _acts(desk, people)


def _filtered(people: list[ParticipantSummary]) -> list[ParticipantSummary]:
    left, right = st.columns([2, 5])
    wanted = left.text_input("Search", key="people_search", placeholder="Id, label or panel id")
    statuses = sorted({person.status for person in people})
    chosen = right.pills(
        "Status", statuses, selection_mode="multi", key="people_status", format_func=lambda name: name.replace("_", " ")
    )
    return [
        person
        for person in people
        if (not chosen or person.status in chosen) and wanted.strip().lower() in f"{person.id} {person.came_as}".lower()
    ]


def _table(desk: ConsoleSession, people: list[ParticipantSummary], arms: bool) -> str:
    now = desk.app.world.now()
    header = ["Participant", "Came as", "Status", "Stage", "Step", "Min in stage", "Min in all", "Last seen"]
    rows = []
    for person in people:
        status = tables.status(person.status)
        if person.exclusion_reason:
            status = tables.Html(f"{status} {tables.cell(person.exclusion_reason)}")
        if person.data_withdrawn:
            status = tables.Html(f"{status} {tables.badge('data withdrawn', 'warm')}")
        row: list[object] = [tables.code(person.id), person.came_as, status, person.stage, person.step]
        row += [tables.minutes(person.minutes_in_stage), tables.minutes(person.minutes_in_all)]
        row += [tables.ago(person.last_seen_at, now)]
        rows.append(row + ([person.arm, person.stratum, person.allocation_index] if arms else []))
    header += ["Arm", "Stratum", "Index"] if arms else []
    return tables.table(header, rows, numbers=(5, 6), label="Participants")


def _acts(desk: ConsoleSession, people: list[ParticipantSummary]) -> None:
    st.subheader("Exclude, unblind or reopen a stage", anchor=False)
    named = {person.id: f"{person.id}   {person.came_as}".strip() for person in people}
    chosen = st.selectbox(
        "Participant",
        list(named),
        index=None,
        format_func=lambda key: named[key],
        key="act_on",
        placeholder="Choose one",
    )
    if chosen is None:
        return
    left, right = st.columns(2, gap="large")
    with left:
        _exclude(desk, chosen)
    with right:
        if desk.full:
            _unblind(desk, chosen)
    _reopen(desk, chosen)


def _exclude(desk: ConsoleSession, participant_id: str) -> None:
    with st.form("exclude", clear_on_submit=True):
        reason = st.text_input("Why exclude this participant from the analysis?", key="exclude_reason")
        st.caption("Recorded, listed in the report, cannot be undone. Decide without knowing the arm.")
        if st.form_submit_button("Exclude"):
            done = desk.attempt(
                lambda: desk.app.lifecycle.exclude(participant_id, reason, desk.person.name), "Excluded and recorded"
            )
            if done:
                st.rerun()


def _reopen(desk: ConsoleSession, participant_id: str) -> None:
    stage = desk.monitor.reopenable(participant_id)
    if stage is None:
        return
    label = f"Minutes left of '{stage.id}', which its deadline ended"
    with st.form("reopen", clear_on_submit=True):
        minutes = st.number_input(label, 1.0, float(stage.minutes or 1), key="reopen_minutes")
        reason = st.text_input("Why reopen it?", key="reopen_reason")
        st.caption("For a wrong clock or a failure of the server. Recorded; the next stage must not have begun.")
        if st.form_submit_button("Reopen the stage"):
            name, reopen = desk.person.name, desk.app.reopening.reopen
            if desk.attempt(lambda: reopen(participant_id, stage.id, minutes, reason, name), "Reopened and recorded"):
                st.rerun()


def _unblind(desk: ConsoleSession, participant_id: str) -> None:
    with st.form("unblind", clear_on_submit=True):
        reason = st.text_input("Why do you need this participant's arm?", key="unblind_reason")
        st.caption("Recorded and reported; you count as unblinded from then on. Shown once.")
        if st.form_submit_button("Unblind"):
            told: list[str] = []

            def act() -> None:
                told.append(desk.app.lifecycle.unblind(participant_id, reason, desk.person.name))

            if desk.attempt(act, "Recorded"):
                st.info(f"{participant_id} is in the arm {told[0]}.")
