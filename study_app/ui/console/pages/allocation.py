"""How arms are drawn, and what that does at the planned size.

| Shows | Records |
| --- | --- |
| the scheme, its commitment, simulated imbalance and predictability beside alternatives | nothing |
"""

from __future__ import annotations

import streamlit as st

from study_app.domain.study.study import Study, canonical_json
from study_app.rerandomisation.outlook import SchemeProperties, outlooks
from study_app.ui.console import html as tables
from study_app.ui.console.session import ConsoleSession

TRIALS = 200


def render(console: ConsoleSession) -> None:
    """Draw the board."""
    study = console.app.study
    console.head("Allocation", "The scheme of this study. Nothing here depends on the sealed seed.")
    st.html(_scheme(study))
    st.header("What it does at this size", anchor=False)
    n = st.number_input("Participants", 4, 2000, study.recruitment.target_n, key="outlook_n", width=180)
    with st.spinner(f"Running {TRIALS} trials of each scheme"):
        found = _outlooks(console.app.context.study_hash, int(n), max(20, min(TRIALS, 20_000 // int(n))), study)
    st.html(_table(found))
    st.html(
        tables.note(
            "Imbalance: largest minus smallest arm at the end, per unit of weight. Guessed: allocations that a person "
            "foresees by always naming the arm with the fewest so far; this takes knowledge of earlier arms, "
            "which console and exports withhold."
        )
    )
    prereg = console.monitor.preregistration()
    if prereg is not None:
        with st.expander("Preregistration text"):
            st.markdown(prereg[1])


@st.cache_data(max_entries=16, show_spinner=False)
def _outlooks(study_hash: str, n: int, trials: int, _study: Study) -> list[SchemeProperties]:
    return outlooks(_study, n, trials)


def _scheme(study: Study) -> str:
    given = study.allocation.model_dump(mode="json", exclude_defaults=True)
    stage = study.allocation_stage
    rows: list[tuple[str, object]] = [("Method", study.allocation.method.replace("_", " "))]
    rows += [(name.replace("_", " ").capitalize(), _shown(value)) for name, value in given.items() if name != "method"]
    rows += [("Arms", ", ".join(f"{arm.label or arm.id} ({arm.weight})" for arm in study.arms))]
    rows += [("Allocated on the way into", (stage.title or stage.id) if stage else "nowhere")]
    return tables.facts(rows)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(each.get("variable", each)) if isinstance(each, dict) else str(each) for each in value)
    return canonical_json(value) if isinstance(value, dict) else str(value)


def _table(found: list[SchemeProperties]) -> str:
    rows = [
        (o.name, f"{o.imbalance:.2f}", f"{o.worst:.1f}", f"{100 * o.guessed:.0f} %", tables.bar(o.guessed, 1))
        for o in found
    ]
    header = (
        "Scheme", "Mean imbalance", "95 % stay within", f"Guessed (chance {100 * found[0].by_chance:.0f} %)", ""
    )  # fmt: skip
    return tables.table(header, rows, numbers=(1, 2, 3), label="Schemes at this size")
