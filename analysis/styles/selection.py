"""Whose codes feed the analysis, as the plan says."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.styles.codebook import LABELS, join, split
from analysis.styles.coders.coding import rule_codes
from analysis.styles.coders.queries import Codes, consensus, human_codings, queries
from analysis.styles.patterns import NONE, PUBLISHED, RuleSet, assign
from study_app.domain.errors import UserError

CODERS = ("rules", "claude", "human")


def chosen_codes(tables: Mapping[str, pd.DataFrame], coder: str) -> tuple[Codes, str]:
    """The codes of the plan's coder, and a note where some queries have none.

    `rules` codes on the spot. `human` are people's ratings (adjudicated, else by majority) or the annotators of an
    imported transcript. `claude` are the ratings of the rater `claude`, stored when Claude was asked.

    Raises:
        UserError: unknown coder.
    """
    if coder not in CODERS:
        raise UserError(f"study file: analysis.coder: {coder!r} is unknown; use one of {', '.join(CODERS)}")
    asked = queries(tables)
    if coder == "rules":
        return rule_codes(asked), ""
    codings = human_codings(tables)
    codes = consensus(codings) if coder == "human" else codings.get("claude", {})
    missing = sum(query.turn_id not in codes for query in asked)
    note = f"{missing} of {len(asked)} queries are not coded by {coder}; they count as queries without a label"
    return codes, note if missing else ""


def with_codes(tables: Mapping[str, pd.DataFrame], codes: Codes) -> dict[str, pd.DataFrame]:
    """The tables with `turns.codes` replaced by these codes (empty where a turn has none)."""
    result = dict(tables)
    turns = tables.get("turns")
    if turns is not None:
        result["turns"] = turns.assign(codes=[join(codes.get(str(turn), ())) for turn in turns["turn_id"]])
    return result


def annotate(
    tables: Mapping[str, pd.DataFrame], coder: str = "rules", rules: RuleSet = PUBLISHED
) -> dict[str, pd.DataFrame]:
    """The tables with what coding adds: `turns.codes`, `participants.queries_*` and `interaction_pattern`.

    For the export: participants without any query get 0 and `none`.
    """
    codes, _ = chosen_codes(tables, coder)
    result = with_codes(tables, codes)
    participants = tables["participants"]
    who = pd.Series(participants["participant_id"].astype(str))
    turns = result.get("turns")
    counts = {label: pd.Series(0, index=who.index) for label in LABELS}
    if turns is not None and len(turns):
        labels = turns["codes"].map(split)
        for label in LABELS:
            own = (
                labels.map(lambda given, label=label: label in given).groupby(turns["participant_id"].astype(str)).sum()
            )
            counts[label] = who.map(own).fillna(0).astype(int)
    patterns = {each.participant_id: each.pattern for each in assign(result, rules)}
    columns = {f"queries_{label}": counts[label] for label in LABELS}
    result["participants"] = participants.assign(**columns, interaction_pattern=who.map(patterns).fillna(NONE))
    return result
