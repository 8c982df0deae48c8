"""Codes of queries and patterns of use, computed again from the messages, the events and the study's rule set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from study_app.domain.protocol import Study
from study_app.domain.styles.codebook import LABELS
from study_app.domain.styles.features import Known, features_of
from study_app.domain.styles.patterns import NONE, decide, rules_of
from study_app.domain.styles.rules import code_session
from study_app.domain.styles.steps import Step, arranged, milliseconds, of_event, of_turn
from study_app.services.verify.opened import Opened, Row


def labels_of(turn: Row) -> tuple[str, ...]:
    """Labels of a turn as the dataset has them."""
    given = str(turn["codes"] or "").split(";")
    return tuple(label for label in LABELS if label in given)


def label_counts(person: Row, turns: Sequence[Row]) -> dict[str, int]:
    """What the counts of labels in participants must be, where they are given."""
    coded = [labels_of(turn) for turn in turns]
    counted = [label for label in LABELS if person[f"queries_{label}"] is not None]
    return {f"queries_{label}": sum(label in labels for labels in coded) for label in counted}


def check_codes(opened: Opened, turns: Sequence[Row]) -> None:
    """Where the plan's coder is the rules, the codes of one participant's queries follow from the messages."""
    study = next(iter(opened.studies.values()), None)
    if study is None or study.analysis.coder != "rules":
        return
    coded = code_session([str(turn["message"] or "") for turn in turns])
    for turn, expected in zip(turns, coded, strict=True):
        if labels_of(turn) != expected.labels:
            what = f"turn {turn['turn_id']}: codes are {turn['codes']}, the rules give {';'.join(expected.labels)}"
            opened.report.add("derived_differs", opened.relative("turns"), turn.number, what)


def pattern_of(opened: Opened, person: Row, turns: Sequence[Row], events: Sequence[Row]) -> str | None:
    """The pattern that a participant's steps give; None where the dataset gives none, or holds no study."""
    study, latest = opened.study_of(person), next(iter(opened.studies.values()), None)
    if study is None or latest is None or person["interaction_pattern"] is None:
        return None
    if not turns:
        return NONE
    features = features_of(_steps(study, turns, events), _known(person, turns), logged=True)
    return decide(str(person["participant_id"]), features, rules_of(latest.styles)).pattern


def _steps(study: Study, turns: Sequence[Row], events: Sequence[Row]) -> list[Step]:
    main = {stage.id for stage in study.stages if stage.kind == "tasks" and stage.main}
    found: list[Step] = []
    for rank, row in enumerate(events):
        if row["stage"] in main and row["server_time"] is not None:
            payload: dict[str, Any] = row["payload"] if isinstance(row["payload"], dict) else {}
            task, pasted = payload.get("task"), payload.get("kind") == "paste"
            named = task if isinstance(task, str) else None
            step = of_event(str(row["kind"]), milliseconds(row["server_time"]), rank, named, pasted)
            found += [step] if step is not None else []
    for turn in turns:
        if turn["asked_at"] is not None:
            at = milliseconds(turn["asked_at"])
            found += of_turn(str(turn["turn_id"]), at, turn["task"], labels_of(turn), turn["total_seconds"])
    return arranged(found)[0]


def _known(person: Row, turns: Sequence[Row]) -> Known:
    pasted = _sum(turns, "inserted_pasted_chars")
    return Known(
        composing_seconds=_sum(turns, "composing_seconds") or 0.0,
        waiting_seconds=_sum(turns, "total_seconds"),
        pasted_chars=person["pasted_chars_assistant"] if pasted is None else pasted,
        retyped_chars=person["retyped_assistant_chars"],
        active_minutes=person["active_minutes"],
        task_minutes=person["task_minutes"],
    )


def _sum(turns: Sequence[Row], name: str) -> float | None:
    known = [turn[name] for turn in turns if turn[name] is not None]
    return sum(known) if known else None
