"""Patterns of everybody in a dataset, and the rule set as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.interaction.features import participant_features
from analysis.interaction.rows import records
from study_app.domain.interaction.patterns import PUBLISHED, Assignment, RuleSet, decide


def assign(tables: Mapping[str, pd.DataFrame], rules: RuleSet = PUBLISHED) -> list[Assignment]:
    """Return the pattern of every participant who asked the assistant anything, in the order of `participants`."""
    features = participant_features(tables)
    return [decide(str(row["participant_id"]), row, rules) for row in records(features) if row["queries"] > 0]


def rules_table(rules: RuleSet) -> list[dict[str, str]]:
    """Return the rule set as rows, for reports."""
    return [
        {"id": rule.id, "pattern": rule.pattern, "when": rule.when.text, "why": rule.why, "version": rules.version}
        for rule in rules.rules
    ]


def groups(assignments: Sequence[Assignment]) -> dict[str, list[str]]:
    """Pattern -> participants."""
    result: dict[str, list[str]] = {}
    for each in assignments:
        result.setdefault(each.pattern, []).append(each.participant_id)
    return result
