"""How well raters agree, as `study analyze` computes it on an export; the console itself computes no statistic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from study_app.domain.records import Kind
from study_app.services.researcher.statistics import section
from study_app.ui.console import html as tables
from study_app.ui.console.session import ConsoleSession

COMPUTED = "agreement_computed"
HEADER = ("What was rated", "Answers", "Raters", "Same", "Kappa", "Alpha", "ICC")


def agreement(console: ConsoleSession, kind: Kind) -> None:
    """Draw the part of the grading board; it is computed when asked for, since that takes some seconds."""
    st.html(tables.note("Computed by the analysis on an export of this moment: each rater's newest rating, settled "
                        "decisions left out. Each figure with its 95 % interval."))  # fmt: skip
    if st.button("Compute agreement", key="compute_agreement", type="primary"):
        found: dict[str, Any] = {}
        with st.spinner("Computing…"):
            app = console.app
            if console.attempt(
                lambda: found.update(section(app.context, app.settings.environment, "agreement", kind)), "Done"
            ):
                st.session_state[COMPUTED] = (kind, found)
    stored = st.session_state.get(COMPUTED)
    if stored is None or stored[0] != kind:
        return
    points = stored[1].get("points")
    if not points or not points["objects"]:
        st.html(tables.note("No answer has been rated by two people yet."))
        return
    st.html(tables.table(HEADER, list(agreement_rows(points)), numbers=(1, 2, 3), label="Agreement of raters"))
    counts = f"{points['disagreements']} disagreements, {points['settled']} of them settled; "
    st.html(tables.note(f"{counts}ratings corrected by their own raters: {points['corrected']}."))


def agreement_rows(points: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    """Yield the table's rows: all answers, each item, each criterion; with the stage where one bank is in several."""
    several = len({each["stage"] for each in points["items"]}) > 1

    def name(each: Mapping[str, Any]) -> str:
        return f"{each['item']} ({each['stage']})" if several else str(each["item"])

    yield _item_row("All answers, in points", points)
    yield from (_item_row(f"{name(each)}, in points", each) for each in points["items"])
    yield from (_item_row(f"{name(each)}: {each['criterion']}", each) for each in points["criteria"])


def _item_row(name: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
    same = figures["percent_agreement"]
    return (
        name,
        str(figures["objects"]),
        str(figures["raters"]),
        "" if same is None else f"{same:.0f} %",
        _figure(figures["kappa"]),
        _figure(figures["krippendorff_alpha"]),
        _figure(figures["icc"]),
    )


def _figure(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "—"
    low, high = found.get("ci_low"), found.get("ci_high")
    interval = "" if low is None or high is None else f" [{low:.2f}, {high:.2f}]"
    return f"{found['value']:.2f}{interval}"
