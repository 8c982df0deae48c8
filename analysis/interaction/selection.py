"""Whose codes feed the analysis, as the plan says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.interaction.coders.coding import rule_codes
from analysis.interaction.coders.queries import Codes, consensus, human_codings, languages, queries
from analysis.interaction.patterns import assign
from study_app.domain.errors import UserError
from study_app.domain.interaction.codebook import LABELS, join, split
from study_app.domain.interaction.patterns import NONE, PUBLISHED, Assignment, RuleSet
from study_app.domain.interaction.rules import READS

CODERS = ("rules", "claude", "human")
_OF_USE = ("participants", "turns", "events", "visits", "ratings")


def chosen_codes(tables: Mapping[str, pd.DataFrame], coder: str) -> tuple[Codes, str]:
    """Return the codes of the plan's coder, and a note where some queries have none.

    `rules` codes on the spot. `human` are people's ratings (adjudicated, else by majority) or the annotators of an
    imported transcript. `claude` are the ratings of the rater `claude`, stored when Claude was asked.

    Raises:
        UserError: unknown coder.
    """
    if coder not in CODERS:
        raise UserError(f"study file: analysis.coder: {coder!r} is unknown; use one of {', '.join(CODERS)}")
    asked = queries(tables)
    if coder == "rules":
        unread = sum(not query.readable for query in asked)
        note = (
            f"{unread} of {len(asked)} queries are in a language that the rules do not read; their authors are left out"
        )
        return rule_codes(asked), note if unread else ""
    codings = human_codings(tables)
    codes = consensus(codings) if coder == "human" else codings.get("claude", {})
    missing = sum(query.turn_id not in codes for query in asked)
    note = f"{missing} of {len(asked)} queries are not coded by {coder}; they count as queries without a label"
    return codes, note if missing else ""


def read_by(tables: Mapping[str, pd.DataFrame], coder: str) -> dict[str, pd.DataFrame]:
    """Return the tables without the people whose language the plan's coder does not read.

    Their queries have no codes and they have no pattern, as in the export: missing, and not without any label.
    """
    spoken = languages(tables)
    unread = {who for who, language in spoken.items() if language != READS} if coder == "rules" else set()
    if not unread:
        return dict(tables)
    return {
        name: table[~table["participant_id"].astype(str).isin(unread)].reset_index(drop=True)
        if "participant_id" in table
        else table
        for name, table in tables.items()
    }


def main_tables(tables: Mapping[str, pd.DataFrame], study: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the tables that use is read from, events of the warm-up and of pages outside the main tasks left out.

    Args:
        tables: of the dataset.
        study: the study file as read; one without stages (imported data) leaves every event in.
    """
    kept = {name: tables[name] for name in _OF_USE if name in tables}
    stages = study.get("stages")
    if isinstance(stages, list) and "events" in kept:
        main = {
            stage.get("id")
            for stage in stages
            if isinstance(stage, Mapping) and stage.get("kind") == "tasks" and stage.get("main", True)
        }
        kept["events"] = kept["events"][kept["events"]["stage"].isin(main)].reset_index(drop=True)
    return kept


def differences(tables: Mapping[str, pd.DataFrame], codes: Codes, assignments: Sequence[Assignment]) -> dict[str, Any]:
    """Where the exported codes and patterns differ from those computed here: `codes` (number of queries), `patterns`.

    Both are 0 and empty unless the plan, the rule set or the version is another than at export.
    """
    turns, participants = tables["turns"], tables["participants"]
    coded = turns[turns["codes"].notna()] if "codes" in turns else turns[:0]
    other = sum(
        split(cell) != codes.get(str(turn), ()) for turn, cell in zip(coded["turn_id"], coded["codes"], strict=True)
    )
    if "interaction_pattern" not in participants:
        return {"codes": other, "patterns": []}
    here = {each.participant_id: each.pattern for each in assignments}
    stated = participants[participants["interaction_pattern"].notna()]
    said = dict(zip(stated["participant_id"].astype(str), stated["interaction_pattern"], strict=True))
    return {"codes": other, "patterns": [who for who, pattern in said.items() if here.get(who, NONE) != pattern]}


def with_codes(tables: Mapping[str, pd.DataFrame], codes: Codes) -> dict[str, pd.DataFrame]:
    """Return the tables with `turns.codes` replaced by these codes (empty where a turn has none)."""
    result = dict(tables)
    turns = tables.get("turns")
    if turns is not None:
        result["turns"] = turns.assign(codes=[join(codes.get(str(turn), ())) for turn in turns["turn_id"]])
    return result


def annotate(
    tables: Mapping[str, pd.DataFrame], coder: str = "rules", rules: RuleSet = PUBLISHED
) -> dict[str, pd.DataFrame]:
    """Return the tables with what coding adds: `turns.codes`, `participants.queries_*` and `interaction_pattern`.

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
