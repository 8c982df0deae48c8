"""`code_queries`: one coder over a dataset's queries, with its agreement with people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.data.load import load
from analysis.interaction.coders.agreement import between_people, disagreements, overall, per_label
from analysis.interaction.coders.queries import CodedQuery, Codes, consensus, empty_queries, human_codings, queries
from study_app.domain.assistants.treatments import DEFAULT_MODEL
from study_app.domain.errors import UserError
from study_app.domain.interaction import rules
from study_app.domain.interaction.codebook import VERSION as CODEBOOK_VERSION

if TYPE_CHECKING:
    import anthropic

CODERS = ("rules", "claude")
EMPTY = "the message is empty"


def code_queries(
    dataset: Path,
    coder: str = "rules",
    *,
    seed: int = 1,
    client: anthropic.Anthropic | None = None,
    model: str = DEFAULT_MODEL,
) -> dict[str, Any]:
    """Code every query of a dataset; the dataset itself is not changed.

    Returns:
        `coder`, `coder_version`, `codebook`, `queries` (how many, empty ones too), `codes` (per query turn_id,
        participant_id, labels and, for the rules, which fired), `uncoded` (turn -> why, empty messages among them), and
        where people coded: `agreement` (per label kappa, ci_low, ci_high, n), `overall` (alpha over sets with MASI),
        `disagreements`; where two people or more coded, `people` (`between_people`).

    Raises:
        UserError: no such coder, no dataset, no API key.
        AssistantUnavailable: Claude cannot be reached.
    """
    if coder not in CODERS:
        raise UserError(f"arguments: --coder: {coder!r} is unknown; use one of {', '.join(CODERS)}")
    tables = load(dataset).tables
    asked = queries(tables)
    empty = empty_queries(tables)
    result: dict[str, Any] = {"coder": coder, "codebook": CODEBOOK_VERSION, "queries": len(asked) + len(empty)}
    if coder == "rules":
        codes, rows = _by_rules(asked)
        unread = {query.turn_id: f"in '{query.language}', and the rules read '{rules.READS}' only"
                  for query in asked if not query.readable}  # fmt: skip
        result |= {"coder_version": rules.VERSION, "codes": rows, "uncoded": unread}
    else:
        # The client takes longer to import than the rest of the analysis, and few studies are coded by it.
        from analysis.interaction.coders import claude

        coded = claude.code_with_claude(asked, client, model)
        codes = coded.codes
        result |= {"coder_version": claude.PROMPT_VERSION, "model": coded.model}
        result |= {"codes": _rows(asked, codes), "uncoded": coded.uncoded}
    result["uncoded"] = result["uncoded"] | dict.fromkeys(empty, EMPTY)
    codings = human_codings(tables)
    reference = consensus(codings)
    if among := between_people(asked, codings, seed):
        result["people"] = among
    if reference:
        result["agreement"] = per_label(asked, codes, reference, seed)
        result["overall"] = overall(asked, codes, reference)
        result["disagreements"] = disagreements(asked, {"human": reference, coder: codes})
    return result


def rule_codes(asked: Sequence[CodedQuery]) -> Codes:
    """Return the offline coder's labels of every query in a language that its rules read."""
    return _by_rules(asked)[0]


def _by_rules(asked: Sequence[CodedQuery]) -> tuple[Codes, list[dict[str, Any]]]:
    people: dict[str, list[CodedQuery]] = {}
    for query in asked:
        if not query.readable:
            continue
        people.setdefault(query.participant_id, []).append(query)
    codes: Codes = {}
    fired: dict[str, list[dict[str, str]]] = {}
    for own in people.values():
        for query, coding in zip(own, rules.code_session([query.message for query in own]), strict=True):
            codes[query.turn_id] = coding.labels
            fired[query.turn_id] = [
                {"rule": each.rule, "label": each.label, "words": each.words} for each in coding.fired
            ]
    return codes, [row | {"rules": fired[row["turn_id"]]} for row in _rows(asked, codes)]


def _rows(asked: Sequence[CodedQuery], codes: Codes) -> list[dict[str, Any]]:
    return [
        {"turn_id": query.turn_id, "participant_id": query.participant_id, "labels": list(codes[query.turn_id])}
        for query in asked
        if query.turn_id in codes
    ]
