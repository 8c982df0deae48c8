"""Acts on Prolific: shown first, carried out after a confirmation, each once.

| Shows | Records |
| --- | --- |
| what would be approved, paid, sent or added; acts whose answer never came | every act and who carried it out |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from study_app.bootstrap import panel_of
from study_app.domain.errors import ProblemsFound
from study_app.services.attending.panel_acts import PanelAct, PanelActs
from study_app.ui.console import html as tables
from study_app.ui.console.session import ConsoleSession

PLANNED = "panel_planned"
STATUSES = ("completed", "screened_out", "declined", "withdrawn", "abandoned", "in_progress")
HEADER = ("Participant", "Session", "Act", "Amount", "State", "Note")
SHOWN = 100


@dataclass(frozen=True)
class _Wanted:
    """What a form asks for: found again when it is confirmed, so that nothing is done that was not shown."""

    name: str
    find: Callable[[PanelActs], list[PanelAct]]
    do: Callable[[PanelActs, Sequence[PanelAct], str], list[PanelAct]]


def panel(console: ConsoleSession) -> None:
    """Draw the part of the recruiting board."""
    st.html(tables.heading("Prolific"))
    environment = console.app.settings.environment
    try:
        client = panel_of(environment)
    except ProblemsFound as missing:
        st.html(tables.note(f"Approving, paying, writing and groups need an account: {missing}"))
        return
    with client:
        acts = PanelActs(console.app.context, client)
        wanted = _asked()
        if wanted is not None:
            _plan(console, acts, wanted)
        _uncertain(console, acts)


def _asked() -> _Wanted | None:
    """Return what the person chose; None while it is not complete."""
    kind = st.segmented_control(
        "What to do", ("Approve", "Pay bonuses", "Write", "Add to group"), key="panel_act", default="Approve"
    )
    if kind == "Approve":
        return _Wanted("approve", lambda acts: acts.approvals(), lambda acts, found, who: acts.approve(found, who))
    if kind == "Pay bonuses":
        return _Wanted("bonus", lambda acts: acts.bonuses(), lambda acts, found, who: acts.pay(found, who))
    statuses = st.multiselect("To people who are", STATUSES, default=["completed"], key="panel_statuses")
    if kind == "Write":
        text = st.text_area("Message", key="panel_text")
        return text_wanted(text, statuses) if text.strip() and statuses else None
    group = st.text_input("Id of the group on Prolific", key="panel_group").strip()
    return group_wanted(group, statuses) if group and statuses else None


def text_wanted(text: str, statuses: Sequence[str]) -> _Wanted:
    """Return a message to people of these statuses."""
    return _Wanted(
        f"message:{text}:{sorted(statuses)}",
        lambda acts: acts.messages(text, statuses),
        lambda acts, found, who: acts.send(found, text, who),
    )


def group_wanted(group: str, statuses: Sequence[str]) -> _Wanted:
    """Return the act that adds people of these statuses to a group."""
    return _Wanted(
        f"group:{group}:{sorted(statuses)}",
        lambda acts: acts.group(group, statuses),
        lambda acts, found, who: acts.add(found, group, who),
    )


def _plan(console: ConsoleSession, acts: PanelActs, wanted: _Wanted) -> None:
    if st.button("Show what would be done", key="panel_show"):
        found: list[PanelAct] = []
        if console.attempt(lambda: found.extend(wanted.find(acts)), "Nothing was done yet"):
            st.session_state[PLANNED] = (wanted.name, found)
    name, planned = st.session_state.get(PLANNED, ("", []))
    if name != wanted.name:
        return
    if not planned:
        st.html(tables.note("There is nothing to be done: everyone it concerns has had it."))
        return
    st.html(_table(planned))
    total = sum(one.amount or 0.0 for one in planned)
    money = f", {total:.2f} in all" if total else ""
    sure = st.checkbox(f"Carry out these {len(planned)} act(s) on Prolific{money}", key="panel_sure")
    if st.button("Carry out", key="panel_do", type="primary", disabled=not sure):
        done: list[Any] = []
        if console.attempt(lambda: done.extend(wanted.do(acts, planned, console.person.name)), "Asked of Prolific"):
            del st.session_state[PLANNED]
            st.html(_table(done))


def _table(found: Sequence[PanelAct]) -> str:
    rows = [
        (
            one.prolific_pid,
            one.session,
            one.act,
            "" if one.amount is None else f"{one.amount:.2f}",
            one.state,
            one.note,
        )
        for one in found[:SHOWN]
    ]
    more = tables.note(f"The first {SHOWN} of {len(found)}.") if len(found) > SHOWN else ""
    return tables.table(HEADER, rows, numbers=(3,), label="Acts on Prolific") + more


def _uncertain(console: ConsoleSession, acts: PanelActs) -> None:
    """Acts whose answer never came: a person looks at Prolific and says how they went."""
    open_acts = acts.uncertain()
    if not open_acts:
        return
    with (
        st.expander(f"{len(open_acts)} act(s) without an answer", expanded=True),
        st.form("panel_settle", border=False),
    ):
        st.caption(
            "No answer came from Prolific, or the database was put back from a backup. Look there before anything is "
            "asked again. restored:bonus, restored:message and restored:remind are all of a kind: done means that what "
            "is owed now went out."
        )
        name = st.selectbox("Act", open_acts, key="panel_open")
        done = st.radio("What Prolific shows", ("It was done", "It was not done"), key="panel_done")
        reason = st.text_input("Where you looked", key="panel_reason")
        if st.form_submit_button("Record"):
            was = done == "It was done"
            if console.attempt(lambda: acts.settle(name, done=was, reason=reason, who=console.person.name), "Recorded"):
                st.rerun()
