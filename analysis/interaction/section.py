"""The `styles` part of results.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.interaction.clusters import clusters
from analysis.interaction.coders.agreement import between_people, overall, per_label
from analysis.interaction.coders.coding import rule_codes
from analysis.interaction.coders.queries import consensus, human_codings, queries
from analysis.interaction.features import participant_features
from analysis.interaction.groups import CAUTION, WORDING, assignment_rows, group_table
from analysis.interaction.patterns import assign, rules_table
from analysis.interaction.process import transitions
from analysis.interaction.reply_times import interruptions, reply_use, takeovers, turn_durations
from analysis.interaction.rows import plain
from analysis.interaction.selection import chosen_codes, differences, read_by, with_codes
from analysis.interaction.timeline import timeline
from analysis.interaction.trajectory import trajectory
from study_app.domain.interaction.patterns import PUBLISHED, RuleSet


def styles_section(
    dataset_tables: Mapping[str, pd.DataFrame], plan: Any, rules: RuleSet = PUBLISHED, seed: int = 1
) -> dict[str, Any]:
    """Return how participants used the assistant, as JSON types.

    Args:
        dataset_tables: `participants`, `turns`, `events`, `visits`, and `ratings` where people coded.
        plan: the analysis plan; its `coder` says whose codes feed the section.
        rules: the rule set of the patterns (the study's own, or the published).
        seed: of bootstraps and clustering.

    Returns:
        `wording`, `coder`, `rules`, `groups`, `assignments`, `differs_from_export`, `clusters`, `trajectory`,
        `process`, `turn_time`, `interruptions`, `takeovers`, `reply_use`, `coding` (agreement of the offline coder with
        people, where people coded); with no questions, only a note.

    Raises:
        UserError: the plan names an unknown coder.
    """
    if not queries(dataset_tables):
        return {"note": "no participant asked the assistant anything", "wording": WORDING}
    coder = getattr(plan, "coder", "rules")
    codes, note = chosen_codes(dataset_tables, coder)
    dataset_tables = read_by(dataset_tables, coder)
    if not queries(dataset_tables):
        return {"note": note, "wording": WORDING}
    tables = with_codes(dataset_tables, codes)
    assignments = assign(tables, rules)
    asked = {each.participant_id for each in assignments}
    actions = timeline(tables)
    actions = actions[actions["participant_id"].isin(asked)]
    features = participant_features(tables)
    section = {
        "wording": WORDING,
        "coder": coder,
        "coder_note": note,
        "rules_version": rules.version,
        "rules_note": CAUTION if rules is PUBLISHED else "",
        "rules": rules_table(rules),
        "groups": group_table(tables["participants"], assignments, rules),
        "assignments": assignment_rows(assignments),
        "differs_from_export": differences(dataset_tables, codes, assignments),
        "clusters": clusters(features[features["participant_id"].isin(asked)], seed=seed),
        "trajectory": trajectory(actions, seed),
        "process": transitions(actions),
        "turn_time": turn_durations(tables, actions),
        "interruptions": interruptions(tables, seed),
        "takeovers": takeovers(actions, seed),
        "reply_use": reply_use(tables, actions, seed),
        "coding": _coding(tables, seed),
    }
    return dict(plain(section))


def _coding(tables: Mapping[str, pd.DataFrame], seed: int) -> dict[str, Any]:
    """Agreement of the offline coder with the consensus of people, and of people with each other."""
    codings = human_codings(tables)
    reference = consensus(codings)
    if not reference:
        return {"note": "no query was coded by people"}
    asked = queries(tables)
    machine = rule_codes(asked)
    result: dict[str, Any] = {
        "rules": {
            "agreement": per_label(asked, machine, reference, seed),
            "overall": overall(asked, machine, reference),
        }
    }
    among = between_people(asked, codings, seed)
    return result | ({"people": among} if among else {})
