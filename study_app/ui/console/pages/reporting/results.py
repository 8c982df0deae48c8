"""Results of the registered plan, as masked as `study analyze` masks them, and the planned looks.

| Shows | Records |
| --- | --- |
| results.json of an export of this moment; looks that were taken and the next one, without what they found | nothing |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import streamlit as st

from study_app.domain.errors import NotAllowed
from study_app.domain.records import Kind
from study_app.services.researcher.interim.kept import kept_looks
from study_app.services.researcher.statistics import results
from study_app.ui.console import html as tables
from study_app.ui.console.session import ConsoleSession

COMPUTED = "results_computed"
ROWS = ("Outcome", "Contrast", "Population", "Method", "Estimate", "Interval", "p", "Adjusted p", "People")
ROLES = {"primary": "Primary", "secondary": "Secondary", "sensitivity": "Sensitivity", "exploratory": "Exploratory"}
LOOKS = ("Look", "Planned at", "Taken", "People", "Decision", "Digest of what it found")
FLOW = ("Group", "Allocated", "Received", "Discontinued", "Analysed")
SESSIONS = ("Session", "Group", "Allocated", "Completed", "Due", "Lost by then")
STAMPS = {
    "dry_run": ("DRY RUN", "Groups are shuffled labels: the figures say nothing of the arms."),
    "masked": ("Arms masked", "Groups stand under neutral names until the trial is unsealed."),
    "shown": ("Arms shown", "The groups are the arms."),
}


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    console.head(
        "Results",
        "The registered analysis on an export of this moment, computed by study analyze in a separate process. Before "
        "the trial is unsealed it shows no arm, and what a planned look finds stays sealed.",
    )
    kind = console.kind()
    _looks(console, kind)
    st.header("Analysis", anchor=False)
    if st.button("Compute results", key="compute_results", type="primary"):
        found: dict[str, Any] = {}
        with st.spinner("Computing; this takes a minute or more…"):
            app = console.app
            if console.attempt(lambda: found.update(results(app.context, app.settings.environment, kind)), "Done"):
                st.session_state[COMPUTED] = (kind, console.monitor.state(), found)
    stored = st.session_state.get(COMPUTED)
    if stored is not None and stored[:2] == (kind, console.monitor.state()):
        _analysis(stored[2])


def _looks(console: ConsoleSession, kind: Kind) -> None:
    rule = console.app.study.analysis.stopping
    st.header("Planned looks", anchor=False)
    st.html(tables.note(rule.sentence))
    if not rule.interim:
        return
    with console.app.context.registry.begin(write=False) as unit:
        taken = {each["look"]: each for each in kept_looks(unit, kind)}
    target = console.app.study.recruitment.target_n
    planned = range(1, len(rule.interim) + 1)
    rows = [_look(number, rule.due_at(number, target), taken.get(number, {})) for number in planned]
    st.html(tables.table(LOOKS, rows, numbers=(0, 3), label="Planned looks"))
    st.html(tables.note(_next_look(console, kind)))


def _look(number: int, due_at: int, taken: Mapping[str, Any]) -> tuple[object, ...]:
    digest = tables.code(taken["digest"][:16]) if taken else ""
    decision = taken.get("decision")
    return (number, f"{due_at} people", str(taken.get("at", ""))[:10], taken.get("n"), decision, digest)


def _next_look(console: ConsoleSession, kind: Kind) -> str:
    if kind == "preview":
        return "Preview participants have no looks."
    try:
        due = console.app.interim.due(kind)
    except NotAllowed as reason:
        return f"Now: {reason}."
    rehearsal = " --simulated" if kind == "simulated" else ""
    return (
        f"Look {due.look} is due, with {due.n} people. Who holds the sealing key takes it once by "
        f"study interim{rehearsal}; it is recorded, and what it prints is for the monitoring committee only."
    )


def _analysis(found: Mapping[str, Any]) -> None:
    word, meaning = STAMPS["dry_run" if found["dry_run"] else "masked" if found["masked"] else "shown"]
    st.html(f"<p>{tables.badge(word, 'warm')} {tables.cell(meaning)}</p>")
    flow = found["flow"]
    said = _neutral(flow["arms"]) if found["dry_run"] else str
    assessed = f"{flow['assessed']} assessed, {flow['allocated']} allocated."
    st.html(tables.table(FLOW, _flow(flow["arms"], said), numbers=(1, 2, 3, 4), label="Flow of participants"))
    st.html(tables.note(assessed))
    sessions = [row for wave in flow.get("waves", ()) for row in _session(wave, said)]
    if sessions:
        st.html(tables.table(SESSIONS, sessions, numbers=(2, 3, 4, 5), label="Sessions by group"))
    for role, title in ROLES.items():
        rows = [_estimate_row(each, said) for each in found["estimates"] if each["role"] == role]
        if rows:
            with st.expander(f"{title}: {len(rows)} rows", expanded=role == "primary"):
                st.html(tables.table(ROWS, rows, numbers=(4, 6, 7, 8), label=f"{title} estimates"))
    for text in (*found["deviations"], *found["warnings"]):
        st.html(tables.note(said(text if isinstance(text, str) else str(text.get("text", text)))))


def _neutral(arms: Iterable[str]) -> Callable[[str], str]:
    """Return what puts neutral names in the place of arms: in a dry run no group is the arm that it is named after."""
    names = {arm: f"label {number}" for number, arm in enumerate(arms, 1)}
    arm = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in sorted(names, key=len, reverse=True)) or r"(?!)")
    return lambda text: arm.sub(lambda found: names[found[0]], text)


def _flow(arms: Mapping[str, Mapping[str, Any]], said: Callable[[str], str]) -> Iterable[tuple[object, ...]]:
    for arm, counts in arms.items():
        yield (said(arm), *(counts.get(name) for name in ("allocated", "received", "discontinued", "analysed")))


def _session(wave: Mapping[str, Any], said: Callable[[str], str]) -> Iterable[tuple[object, ...]]:
    for arm, counts in wave["arms"].items():
        found = (counts[name] for name in ("allocated", "completed", "due", "lost"))
        yield (f"{wave['number']}. {wave['session']}", said(arm), *found)


def _estimate_row(each: Mapping[str, Any], said: Callable[[str], str]) -> tuple[object, ...]:
    people = " + ".join(str(n) for n in (each["n"] or {}).values())
    contrast = said(" - ".join(each["contrast"] or ()))
    estimate = _figure(each["estimate"])
    if each["estimate"] is None and each["p_value"] is None and each["ci_low"] is None:
        estimate = said(str(each["note"] or "not estimable"))
    return (
        each["outcome"],
        contrast,
        each["population"],
        each["method"].replace("_", " "),
        estimate if each["estimate"] is None else f"{estimate} {each['unit'] or ''}".strip(),
        "" if each["ci_low"] is None else f"[{_figure(each['ci_low'])}, {_figure(each['ci_high'])}]",
        _p(each["p_value"]),
        _p(each["p_adjusted"]),
        people,
    )


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
