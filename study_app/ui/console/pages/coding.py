"""Queries to the assistant, coded by hand, one at a time; where coders disagree, and what was settled.

| Shows | Records |
| --- | --- |
| message, earlier turns, program; neither outcome, participant, arm nor other codes | codes; who opened the board |
| queries that people coded differently, without their names | the adjudicated codes, with a reason |
| how often coders agree, as plain counts | nothing |
| messages and replies one at a time, nothing around them | the tone that stands out in their wording |
| submissions that fail a check, with their task; neither participant, arm, rules nor others' classes | a class |
| replies to fixed questions, of no participant, where arms have personas | which persona wrote each |
| messages that an explain-first gate judged, its verdict only beside one's own | whether they explain an idea |
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from study_app.domain.interaction.codebook import DEFINITIONS
from study_app.domain.interaction.tone import TONES
from study_app.domain.records import Kind
from study_app.services.researcher.blind_codes.gate_audit import GateAudits, has_gate
from study_app.services.researcher.blind_codes.hacks import HackCodes
from study_app.services.researcher.blind_codes.persona_guesses import PersonaGuesses
from study_app.services.researcher.blind_codes.tones import ToneCodes
from study_app.services.researcher.coding import Codings, QueryForCoding
from study_app.ui.console import html as tables
from study_app.ui.console.held import held
from study_app.ui.console.pages.codes.personas import guesses
from study_app.ui.console.pages.codes.programs import programs
from study_app.ui.console.session import ConsoleSession
from study_app.ui.console.settling import settle_form, settling_note

SEEN = "queries"
CODE, DISAGREEMENTS, AGREEMENT, TONE = PARTS = ("Code", "Disagreements", "Agreement", "Tone")
EXPLANATIONS = "Explanations"
PROGRAMS = "Programs"
PERSONAS = "Personas"


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    console.head("Coding", "What participants wanted of the assistant. Several labels may fit, or none.")
    kind = console.kind()
    if kind == "real" and not console.monitor.is_unblinded(console.person.name, SEEN):
        st.warning(
            "Queries come from arms with an assistant. If you open them, you count as unblinded, and it is recorded."
        )
        if st.button("Open and record", key="open_queries", type="primary"):
            console.monitor.record_unblinding(console.person.name, SEEN, kind)
            st.rerun()
        return
    parts = (*PARTS, EXPLANATIONS) if has_gate(console.app.context) else PARTS
    parts = (*parts, PROGRAMS) if console.app.study.varied_tasks else parts
    guessed = PersonaGuesses(console.app.context)
    parts = (*parts, PERSONAS) if len(guessed.personas()) > 1 else parts
    part = st.segmented_control(
        "Part", parts, default=CODE, key="coding_part", label_visibility="collapsed", required=True
    )
    if part == EXPLANATIONS:
        _explanations(console, GateAudits(console.app.context), kind)
        return
    if part == PERSONAS:
        guesses(console, guessed)
        return
    if part == PROGRAMS:
        programs(console, HackCodes(console.app.context), kind)
        return
    if part == TONE:
        _tone(console, ToneCodes(console.app.context), kind)
        return
    codings = Codings(console.app.context)
    {DISAGREEMENTS: _disagreements, AGREEMENT: _agreement}.get(part or CODE, _code)(console, codings, kind)


def _code(console: ConsoleSession, codings: Codings, kind: Kind) -> None:
    waiting = codings.queries_for(console.person.name, kind)
    if not waiting:
        st.html(tables.note("Nothing waits for you."))
        return
    st.html(tables.note(f"{len(waiting)} to code."))
    view = held(waiting, lambda each: each.turn_id, f"query_shown:{kind}")
    left, right = st.columns([11, 9], gap="large")
    with left:
        _query(view)
    with right, st.form(f"code:{view.turn_id}", border=False):
        chosen = _labels(view.turn_id)
        saved = st.form_submit_button("Save codes", type="primary")
        if saved and console.attempt(lambda: codings.code(console.person.name, view.turn_id, chosen), "Saved"):
            st.rerun()


def _query(view: QueryForCoding) -> None:
    st.header("Message", anchor=False)
    st.html(tables.pre(view.message))
    with st.expander(f"Before it: {len(view.before)} turn(s)"):
        for message, reply in view.before[-5:]:
            answer = tables.note("was answered") + tables.pre(reply, small=True) if reply else ""
            st.html(tables.pre(message, small=True) + answer)
    with st.expander("The program at that moment"):
        st.html(tables.pre(view.code, small=True))


def _labels(turn_id: str) -> list[str]:
    st.header("Labels", anchor=False)
    return [
        label for label, meaning in DEFINITIONS.items()
        if st.checkbox(f"**{label}**  \n{meaning}", key=f"code:{turn_id}:{label}")
    ]  # fmt: skip


def _disagreements(console: ConsoleSession, codings: Codings, kind: Kind) -> None:
    open_ones = codings.disagreements(console.person.name, kind)
    if open_ones:
        settling_note(len(open_ones), "code", "queries")
        first = held(open_ones, lambda each: each.query.turn_id, f"settle_query_shown:{kind}")
        codings.look(console.person.name, first.query.turn_id)
        left, right = st.columns([11, 9], gap="large")
        with left:
            _query(first.query)
            rows = [(f"Coder {n}", _shown(labels)) for n, labels in enumerate(first.codings, start=1)]
            st.html(tables.table(("Coder", "Labels"), rows, label="Codes of this query"))
        turn = first.query.turn_id
        with right:
            settle_form(console, turn, lambda: _labels(turn), partial(codings.settle, console.person.name, turn))
    else:
        st.html(tables.note("Nothing to settle for you."))
    settled = codings.settled(kind)
    if settled:
        st.header("Settled", anchor=False)
        done = [
            (each.message, " | ".join(map(_shown, each.codings)), _shown(each.labels), each.reason, each.who)
            for each in settled
        ]
        header = ("Message", "Given", "Settled as", "Reason", "By")
        st.html(tables.table(header, done, label="Settled queries"))


def _agreement(console: ConsoleSession, codings: Codings, kind: Kind) -> None:
    n, same, labels = codings.agreement(kind)
    if not n:
        st.html(tables.note("No query has been coded by two people yet."))
        return
    st.html(tables.note(f"{n} queries were coded by two people or more, {same} of them with the same labels by all."))
    rows = [(each.label, each.all_gave, each.some_gave, each.none_gave) for each in labels]
    header = ("Label", "All gave it", "Some gave it", "None gave it")
    st.html(tables.table(header, rows, numbers=(1, 2, 3), label="Agreement by label"))
    st.html(
        tables.note(
            "Counts before anything was settled. Kappa by label with its interval and Krippendorff's alpha over whole "
            "sets are statistics and come with the analysis: study code-queries DATASET --json, and the report."
        )
    )


def _explanations(console: ConsoleSession, audits: GateAudits, kind: Kind) -> None:
    waiting = audits.waiting(console.person.name, kind)
    st.html(tables.note(f"{len(waiting)} message(s) wait for you. The gate's verdict is shown once you have judged."))
    if waiting:
        first = held(waiting, lambda each: each.turn_id, f"gate_shown:{kind}")
        st.html(tables.note(f"Task {first.task}") + tables.pre(first.message))
        with st.form(f"gate:{first.turn_id}", border=False):
            st.write("Does the message explain an idea of how to solve the task, right or wrong?")
            yes, no = st.columns([1, 5])
            said = yes.form_submit_button("Explains", type="primary"), no.form_submit_button("Does not")
            if any(said) and console.attempt(
                lambda: audits.audit(console.person.name, first.turn_id, explained=said[0]), "Saved"
            ):
                st.rerun()
    done = audits.audited(console.person.name, kind)
    if done:
        same = sum(each.agrees for each in done)
        st.html(tables.note(f"{len(done)} judged by you, {same} of them as the gate did. Kappa is in the report."))
        rows = [
            (each.message, each.verdict.replace("_", " "), each.by, each.reason, f"{each.explained} of {each.audits}")
            for each in done
        ]
        header = ("Message", "Gate", "Judge", "Its reason", "People: explains")
        st.html(tables.table(header, rows, label="Audited verdicts"))


def _tone(console: ConsoleSession, codes: ToneCodes, kind: Kind) -> None:
    waiting = codes.waiting(console.person.name, kind)
    st.html(
        tables.note(
            f"{len(waiting)} text(s) wait for you, messages and replies, without what is around them. Say which tone "
            "stands out in the wording; tone is not how its author feels."
        )
    )
    if waiting:
        first = held(waiting, lambda each: each.name, f"tone_shown:{kind}")
        st.html(tables.pre(first.text))
        with st.form(f"tone:{first.name}", border=False):
            captions = list(TONES.values())
            chosen = st.radio("Tone", list(TONES), index=None, captions=captions, key=f"tone_of:{first.name}")
            saved = st.form_submit_button("Save tone", type="primary")
            if saved and console.attempt(lambda: codes.code(console.person.name, first.name, chosen or ""), "Saved"):
                st.rerun()
    twice, same, given = codes.counts(kind)
    if given:
        st.html(
            tables.note(
                f"{twice} text(s) were coded by two people or more, {same} of them alike. Kappa with the rules is in "
                "the report."
            )
        )
        rows = [(tone, given.get(tone, 0)) for tone in TONES]
        st.html(tables.table(("Tone", "Codes by people"), rows, numbers=(1,), label="Tones given"))


def _shown(labels: tuple[str, ...]) -> str:
    return ", ".join(labels) or "none"
