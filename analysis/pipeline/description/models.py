"""Did the models stay what they were, and do they help equally? Looks at providers, rounds of fixed questions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

import pandas as pd

from analysis.data.view import View
from analysis.pipeline.description.persona_guesses import persona_guesses
from analysis.pipeline.planning.equal_help import equivalence_row
from study_app.domain.assistants.drift import ModelReply, helped_alike, rounds_compared, served_otherwise
from study_app.domain.assistants.persona_checks.probing import MEASURES, SHARE_MARGIN, WORDS_MARGIN, compared

_TEXTS = (
    *("occasion", "treatment", "provider", "declared", "model", "prompt_version", "task", "message", "reply"),
    *("stop_reason", "error", "recorded_match"),
)


def models_section(view: View) -> dict[str, Any]:
    """Return looks, rounds, each later round beside the launch, and what treatments differ in; empty without tables.

    Intervals are those of two one-sided paired tests at 5% each over the questions, with the margins of `study probe`.
    """
    if view.hidden:
        return {}
    looks, replies = view.tables.get("model_looks"), view.tables.get("model_replies")
    asked = [] if replies is None else _replies(replies)
    found: dict[str, Any] = {
        "looks": [] if looks is None or looks.empty else _looks(looks),
        "rounds": _rounds(asked),
        "compared": _compared(asked),
        "otherwise": _otherwise(asked),
        "help": _help(asked),
    }
    if guesses := persona_guesses(asked, view.tables.get("ratings")):
        found["guesses"] = guesses
    return found if found["looks"] or found["rounds"] else {}


def model_warnings(section: Mapping[str, Any]) -> list[str]:
    """Return each treatment whose newest round differs from the launch, and each round that another model answered."""
    newest: dict[str, Any] = {row["treatment"]: row for row in section.get("compared", [])}
    return [
        f"treatment '{name}': in round {row['round']} of the fixed questions other than in round {row['first']}: "
        f"{'; '.join(row['drifts'])}"
        for name, row in newest.items()
        if row["drifts"]
    ] + [
        f"treatment '{row['treatment']}': round {row['round']} of the fixed questions was {row['what']}"
        for row in section.get("otherwise", [])
    ]


def _replies(table: pd.DataFrame) -> list[ModelReply]:
    found = []
    for row in table.to_dict("records"):
        given: dict[str, Any] = {name: "" if pd.isna(row[name]) else str(row[name]) for name in _TEXTS}
        given |= {name: _number(row[name]) for name in ("code_share", "seconds", "usd")}
        given |= {name: int(_number(row[name])) for name in ("round", "question", "words")}
        given |= {name: bool(_number(row[name])) for name in ("leak", "refused")}
        found.append(ModelReply(**given, asked_at=_moment_text(row["asked_at"])))
    return found


def _number(value: Any) -> float:
    return 0.0 if pd.isna(value) else float(value)


def _moment_text(value: Any) -> str:
    """Return a moment as text; empty in a dataset for everybody."""
    moment = pd.to_datetime(value, utc=True, errors="coerce")
    return "" if pd.isna(moment) else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _looks(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for name, mine in table.groupby("treatment", sort=False):
        last = mine.iloc[-1]
        texts = {
            key: None if pd.isna(last[key]) else str(last[key]) for key in ("provider", "model", "served", "lifecycle")
        }
        rows.append(
            {
                "treatment": str(name),
                "looks": len(mine),
                "not_known": int(mine["problem"].notna().sum()),
                "first": _moment_text(mine.iloc[0]["looked_at"]),
                "last": _moment_text(last["looked_at"]),
                **texts,
                "retires_at": _moment_text(last["retires_at"]),
                "changes": _changes(mine),
            }
        )
    return rows


def _changes(mine: pd.DataFrame) -> int:
    """Return how often the provider said other than the day before, of those days on which it said anything."""
    said = mine[mine["problem"].isna()][["served", "lifecycle", "retires_at"]].astype("string").fillna("")
    # The first has none before it, with which a comparison would give neither true nor false.
    return int(said.ne(said.shift().fillna("")).iloc[1:].any(axis=1).sum())


def _rounds(asked: Iterable[ModelReply]) -> list[dict[str, Any]]:
    by: dict[int, list[ModelReply]] = {}
    for each in asked:
        by.setdefault(each.round, []).append(each)
    return [
        {
            "round": number,
            "occasion": mine[0].occasion,
            "asked": min(each.asked_at for each in mine),
            "replies": len(mine),
            "failed": sum(bool(each.error) for each in mine),
            "treatments": sorted({each.treatment for each in mine}),
        }
        for number, mine in sorted(by.items())
    ]


def _otherwise(asked: list[ModelReply]) -> list[dict[str, Any]]:
    """Return the rounds in which another model answered than the treatment declares, from the first on."""
    return [
        {"round": number, "treatment": name, "what": what}
        for number in sorted({each.round for each in asked})
        for name, what in served_otherwise(each for each in asked if each.round == number).items()
    ]


def _compared(asked: list[ModelReply]) -> list[dict[str, Any]]:
    found = []
    for each in rounds_compared(asked):
        first = _answered(asked, each.first, each.treatment)
        later = _answered(asked, each.round, each.treatment)
        found.append(
            {
                "treatment": each.treatment,
                "round": each.round,
                "first": each.first,
                "questions": each.pairs,
                "failed": each.failed,
                "exact": each.exact,
                "near": each.near,
                "served_before": list(each.served_before),
                "served_now": list(each.served_now),
                "before": each.before,
                "now": each.now,
                "drifts": each.drifts,
                "differences": _differences(first, later),
            }
        )
    return found


def _answered(asked: Iterable[ModelReply], number: int, treatment: str) -> dict[tuple[str, int], ModelReply]:
    return {e.place: e for e in asked if e.round == number and e.treatment == treatment and not e.error}


def _differences(first: Mapping[Any, ModelReply], later: Mapping[Any, ModelReply]) -> list[dict[str, Any]]:
    """Return later less first by measure, with interval and margin, over the questions that both answered."""
    places = sorted(set(first) & set(later))
    if not places:
        return []
    rows = []
    for measure in MEASURES:
        old, new = ([float(getattr(of[place], measure)) for place in places] for of in (first, later))
        margin = max(WORDS_MARGIN * fmean(old), 1e-9) if measure == "words" else SHARE_MARGIN
        rows.append(equivalence_row(measure, old, new, margin))
    return rows


def _help(asked: list[ModelReply]) -> dict[str, Any]:
    """Return how treatments differ in the newest round that every one of them answered; empty with one treatment.

    Treatments that answer are compared with each other, and so are those that act.
    """
    groups = [group for group in helped_alike(asked) if len(group) > 1]
    names = [name for group in groups for name in group]
    for number in sorted({each.round for each in asked}, reverse=True):
        given = {name: _answered(asked, number, name) for name in names}
        if names and all(given.values()):
            means = {
                name: {measure: fmean(float(getattr(e, measure)) for e in mine.values()) for measure in MEASURES}
                for name, mine in given.items()
            }
            pairs = [
                {"reference": one, "other": other, "rows": _differences(given[one], given[other])}
                for group in groups
                for one, other in compared(group)
            ]
            return {"round": number, "questions": min(map(len, given.values())), "means": means, "pairs": pairs}
    return {}
