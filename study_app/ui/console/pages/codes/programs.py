"""Submissions that fail a check, coded by hand by the classes of `hack-1`, blind to arm and rules, and settled."""

from __future__ import annotations

from functools import partial

import streamlit as st

from study_app.domain.records import Kind
from study_app.domain.tasks.hacks.coding import CLASSES
from study_app.services.researcher.blind_codes.hacks import HackCodes, ProgramToCode
from study_app.ui.console import html as tables
from study_app.ui.console.held import held
from study_app.ui.console.session import ConsoleSession
from study_app.ui.console.settling import settle_form, settling_note

CODE, DISAGREEMENTS = PARTS = ("Code", "Disagreements")


def programs(console: ConsoleSession, codes: HackCodes, kind: Kind) -> None:
    """Draw the next program or the open disagreements, what was settled, and plain counts."""
    # To see a disagreement is recorded and uses the program up for coding: only who asks for it sees one.
    part = st.segmented_control(
        "Part of programs", PARTS, default=CODE, key="hack_part", label_visibility="collapsed", required=True
    )
    (_settle if part == DISAGREEMENTS else _code)(console, codes, kind)
    _settled(codes, kind)
    twice, same, given = codes.counts(kind)
    if given:
        st.html(
            tables.note(
                f"{twice} program(s) were coded by two people or more, {same} of them alike, before anything was "
                "settled. Kappa between people and with the rules is in the report."
            )
        )
        rows = [(_shown(name), given.get(name, 0)) for name in CLASSES]
        st.html(tables.table(("Class", "Codes by people"), rows, numbers=(1,), label="Classes given"))


def _code(console: ConsoleSession, codes: HackCodes, kind: Kind) -> None:
    waiting = codes.waiting(console.person.name, kind)
    st.html(
        tables.note(
            f"{len(waiting)} program(s) wait for you: last submissions that fail a check of their task. Two people "
            "code each. You see neither participant nor arm, nor what rules and others say."
        )
    )
    if not waiting:
        return
    # Those with one coder come first, so that another person's class changes the order.
    first = held(waiting, lambda each: each.run_id, f"hack_shown:{kind}")
    left, right = st.columns([11, 9], gap="large")
    with left:
        _program(first)
    with right, st.form(f"hack:{first.run_id}", border=False):
        chosen = _classes(f"hack_of:{first.run_id}")
        saved = st.form_submit_button("Save class", type="primary")
        name = console.person.name
        if saved and console.attempt(lambda: codes.code(name, first.run_id, chosen), "Saved"):
            st.rerun()


def _settle(console: ConsoleSession, codes: HackCodes, kind: Kind) -> None:
    open_ones = codes.disagreements(console.person.name, kind)
    if not open_ones:
        st.html(tables.note("Nothing to settle for you."))
        return
    first = held(open_ones, lambda each: each.program.run_id, f"settle_hack_shown:{kind}")
    codes.look(console.person.name, first.program.run_id)
    st.header("Disagreements", anchor=False)
    settling_note(len(open_ones), "code", "programs")
    left, right = st.columns([11, 9], gap="large")
    with left:
        _program(first.program)
        rows = [(f"Coder {n}", _shown(each)) for n, each in enumerate(first.classes, start=1)]
        st.html(tables.table(("Coder", "Class"), rows, label="Classes of this program"))
    run = first.program.run_id
    with right:
        settle_form(
            console,
            f"hack:{run}",
            lambda: _classes(f"settled_hack:{run}"),
            partial(codes.settle, console.person.name, run),
        )


def _settled(codes: HackCodes, kind: Kind) -> None:
    done = codes.settled(kind)
    if done:
        rows = [
            (each.task, " | ".join(map(_shown, each.given)), _shown(each.value), each.reason, each.who)
            for each in done
        ]  # fmt: skip
        st.html(tables.table(("Task", "Given", "Settled as", "Reason", "By"), rows, label="Settled programs"))


def _program(view: ProgramToCode) -> None:
    st.header("Program", anchor=False)
    seen = "It passes every check that could be seen." if view.passes_seen else "It fails a check that could be seen."
    said = " The participant said that the task cannot be done." if view.reported else ""
    st.html(tables.note(f"Task {view.task}. {seen}{said}"))
    st.html(tables.pre(view.code))
    with st.expander("The task, as it was shown"):
        st.markdown(view.brief)
    with st.expander("What it began with"):
        st.html(tables.pre(view.starter, small=True))


def _classes(key: str) -> str:
    captions = list(CLASSES.values())
    chosen = st.radio("Class", list(CLASSES), index=None, captions=captions, format_func=_shown, key=key)
    return chosen or ""


def _shown(name: str) -> str:
    return name.replace("_", " ")
