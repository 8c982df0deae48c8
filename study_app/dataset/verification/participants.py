"""Participants' ways, the integrity of arms, and records against the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise

from study_app.dataset.border.folders import text_in
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow, kind_of
from study_app.dataset.schema import TableName
from study_app.dataset.verification.derived.arms_met import allocated_to
from study_app.dataset.verification.server_log import Log, kinds_hidden, said
from study_app.domain.assistants.served_models import same_model
from study_app.domain.events.server import TurnStarted
from study_app.domain.study.study import Study


def check_known(opened: UntrustedDataset, log: Mapping[str, Log]) -> None:
    """Every row belongs to a participant of the dataset."""
    known = {str(person["participant_id"]) for person in opened.rows("participants")}
    # By the schema: a table that only some studies have was once missing from a list kept here.
    tables = (name for name, table in opened.tables.items() if "participant_id" in table.names)
    for table in tables:
        # Rows of the ledger lose their id when a participant is erased, and events are too many to hold.
        for row in opened.rows(table) if table not in ("participants", "allocations", "events") else ():
            if str(row["participant_id"]) not in known:
                what = f"belongs to {row['participant_id']}, who is not in participants"
                opened.report.add("unknown_participant", opened.relative(table), row.number, what)
    for name in sorted(set(log) - known):
        opened.report.add("unknown_participant", opened.relative("events"), None, f"{name} is not in participants")
    opened.report.note("every row belongs to a participant")


def check_models(opened: UntrustedDataset, log: Mapping[str, Log]) -> None:
    """Every reply came from the model that was declared when it was asked for, and from the same one throughout.

    A name without a date may be served as a dated snapshot of it, as long as the snapshot stays the same.
    """
    first: dict[tuple[str, str], str] = {}
    file, compared = opened.relative("turns"), 0
    ordered = sorted(opened.rows("turns"), key=lambda row: str(row["asked_at"]))
    for row in ordered:
        declared, served = declared_model(row, log), row["model"]
        if row["assistant"] != "claude" or not declared or not served or not row["reply"]:
            continue
        compared += 1
        if not same_model(declared, str(served)):
            opened.report.add("model_differs", file, row.number, f"served by {served}, declared was {declared}")
            continue
        # By the declared name, too: an amendment may declare another model for the same treatment.
        before = first.setdefault((str(row["treatment"]), declared), str(served))
        if served != before:
            what = f"served by {served}, the replies before by {before} (declared: {declared})"
            opened.report.add("model_differs", file, row.number, what)
    if compared:
        opened.report.note(f"models of {compared} replies against the declared one")


def declared_model(turn: UntrustedRow, log: Mapping[str, Log]) -> str:
    """Return the model in the server's own event of the question; empty where an older version wrote none."""
    mine = log.get(str(turn["participant_id"]), Log())
    events = mine.of(TurnStarted.kind, "turn_id", turn["turn_id"])
    started = said(events[0]) if events else None
    return (started.model if isinstance(started, TurnStarted) else None) or ""


def check_visits(opened: UntrustedDataset, log: Mapping[str, Log]) -> None:
    """Stages in the study's order, one after the other, within their deadlines and the participant's time."""
    visits = opened.by_participant("visits")
    for person in opened.rows("participants"):
        mine, study = visits.get(str(person["participant_id"]), []), opened.study_of(person)
        if opened.own and study is not None:
            seen = log.get(str(person["participant_id"]))
            reopened = {str(event["stage"]) for event in seen.of("stage_reopened")} if seen is not None else set()
            _check_order(opened, mine, study, reopened)
            _check_person_times(opened, person, mine)
        for visit in mine:
            _check_visit(opened, visit)
    opened.report.note(f"{len(opened.rows('visits'))} visits in order")


def _check_order(
    opened: UntrustedDataset, visits: Sequence[UntrustedRow], study: Study, reopened: Collection[str]
) -> None:
    report, file = opened.report, opened.relative("visits")
    # By the study file's order, which branches skip parts of and never turn round.
    places = {stage.id: place for place, stage in enumerate(study.stages)}
    for visit in visits:
        if str(visit["stage"]) not in places:
            report.add("unknown_stage", file, visit.number, f"the study has no stage '{visit['stage']}'")
    for before, after in pairwise(visits):
        if places.get(str(after["stage"]), 0) < places.get(str(before["stage"]), 0):
            report.add("visits_out_of_order", file, after.number, f"{after['stage']} after {before['stage']}")
        if str(before["stage"]) in reopened:
            continue  # The next stage had been shown already when this one was opened again.
        if before["ended_at"] is None or (after["started_at"] and after["started_at"] < before["ended_at"]):
            report.add("visits_overlap", file, after.number, f"began before {before['stage']} had ended")


def _check_visit(opened: UntrustedDataset, visit: UntrustedRow) -> None:
    report, file = opened.report, opened.relative("visits")
    start, end, deadline = visit["started_at"], visit["ended_at"], visit["deadline_at"]
    if start and end and end < start:
        report.add("time_backwards", file, visit.number, "ended before it began")
    if end and deadline and end > deadline:
        report.add("past_deadline", file, visit.number, "ended after its deadline")
    # Each of the two is rounded to the millisecond, hence the slack, which a sum of such numbers may exceed in its last
    # binary digit.
    used = (visit["active_seconds"] or 0) + (visit["away_seconds"] or 0)
    if opened.own and start and end and round(used - (end - start).total_seconds(), 3) > 0.001:
        report.add("derived_differs", file, visit.number, "active and away are longer than the visit")


def _check_person_times(opened: UntrustedDataset, person: UntrustedRow, visits: Sequence[UntrustedRow]) -> None:
    report, file = opened.report, opened.relative("participants")
    order = [(name, person[name]) for name in ("enrolled_at", "allocated_at", "finished_at") if person[name]]
    for (early, before), (late, after) in pairwise(order):
        if after < before:
            report.add("time_backwards", file, person.number, f"{late} is before {early}")
    if visits and visits[0]["started_at"] and person["enrolled_at"] and visits[0]["started_at"] < person["enrolled_at"]:
        report.add(
            "time_backwards", opened.relative("visits"), visits[0].number, "began before the participant came in"
        )


# -- arms --------------------------------------------------------------------------------------------------------------


def check_arms(opened: UntrustedDataset, log: Mapping[str, Log]) -> None:
    """No word of an assistant reached anybody whose arm has none, and none outside the stages that have one."""
    if not opened.own:
        return
    people = {str(person["participant_id"]): person for person in opened.rows("participants")}
    checked = _check_turns(opened, people)
    _check_evidence(opened, people)
    _check_words_of_replies(opened, people, log)
    opened.report.note(f"{checked} turns: none in an arm without an assistant")


def _check_turns(opened: UntrustedDataset, people: Mapping[str, UntrustedRow]) -> int:
    """Check who was answered, and where; return of how many turns."""
    visits = opened.by_participant("visits")
    checked = 0
    for turn in opened.rows("turns"):
        name = str(turn["participant_id"])
        person = people.get(name)
        if person is None:
            continue
        checked += 1
        file = opened.relative("turns")
        if opened.hides(kind_of(person)):
            opened.report.add("arm_shown", file, turn.number, f"a turn of {name} in a sealed study")
        elif not _has_assistant(opened, person):
            what = f"{name} is in arm {person['arm']}, which has no assistant"
            opened.report.add("assistant_in_wrong_arm", file, turn.number, what)
        elif not (stages := _stages_of(opened, person, turn, visits.get(name, []))):
            opened.report.add("assistant_outside_stage", file, turn.number, "was asked where no assistant is open")
        else:
            for finding, wrong in (
                ("treatment_differs", _wrong_treatment(opened, person, turn, stages)),
                ("persona_differs", _wrong_voice(opened, person, turn, stages)),
            ):
                if wrong is not None:
                    opened.report.add(finding, file, turn.number, wrong)
    return checked


def _wrong_treatment(
    opened: UntrustedDataset, person: UntrustedRow, turn: UntrustedRow, stages: Collection[str]
) -> str | None:
    """Return what is wrong with the treatment that answered: in a crossover that of the period, and of no other.

    The materials have the newest version of a treatment: who began with an earlier one is not held against it.
    """
    study = opened.study_of(person)
    if study is None or person["study_hash"] != opened.manifest.get("study_hash"):
        return None
    arms = [study.arm(allocated_in(study, person), stage) for stage in study.stages if stage.id in stages]
    due = {_treatment_id(opened, arm.treatment) for arm in arms if arm.treatment is not None}
    if None in due or turn["treatment"] in due:
        return None
    named = ", ".join(sorted(str(each) for each in due))
    return f"answered by {turn['treatment']}, the treatment of the arm {person['arm']} at that stage is {named}"


def _treatment_id(opened: UntrustedDataset, name: str) -> str | None:
    """Return the id in the published file of a treatment; None where the materials do not hold it."""
    try:
        said = json.loads(text_in(opened.path, f"materials/assistants/{name}.json"))
        return str(said["id"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _wrong_voice(
    opened: UntrustedDataset, person: UntrustedRow, turn: UntrustedRow, stages: Collection[str]
) -> str | None:
    """Return what is wrong with the persona that a turn names; one of an assistant's own file is not looked at.

    Args:
        opened: the dataset.
        person: who asked.
        turn: the turn.
        stages: that it was asked at; more than one where it lies on the border of two.
    """
    study, spoken = opened.study_of(person), turn["persona"]
    if study is None or spoken is None:
        return None
    due = {study.arm(allocated_in(study, person), stage).persona for stage in study.stages if stage.id in stages}
    if spoken in due or (due == {None} and spoken not in study.personas):
        return None
    named = ", ".join(sorted(each or "none" for each in due))
    return f"the assistant spoke as {spoken}, the persona of the arm {person['arm']} is {named}"


def _check_evidence(opened: UntrustedDataset, people: Mapping[str, UntrustedRow]) -> None:
    """Check that no evidence on compliance shows an arm of a sealed study."""
    for piece in opened.rows("compliance"):
        person = people.get(str(piece["participant_id"]))
        if person is not None and opened.hides(kind_of(person)):
            what = f"evidence of {piece['participant_id']} in a sealed study"
            opened.report.add("arm_shown", opened.relative("compliance"), piece.number, what)


def _check_words_of_replies(
    opened: UntrustedDataset, people: Mapping[str, UntrustedRow], log: Mapping[str, Log]
) -> None:
    """Check that no event tells of a reply where the arm has no assistant."""
    for name, seen in log.items():
        person = people.get(name)
        if person is None or _has_assistant(opened, person):
            continue
        for kind, events in (("assistant_in_wrong_arm", seen.assisted), ("claims_a_reply", seen.claims)):
            for event in events:
                what = f"{event['kind']} of {name}, whose arm {person['arm'] or '(none)'} has no assistant"
                opened.report.add(kind, opened.relative("events"), event.number, what)


def _has_assistant(opened: UntrustedDataset, person: UntrustedRow) -> bool:
    study = opened.study_of(person)
    return study is not None and person["arm"] is not None and study.has_assistant(allocated_in(study, person))


def allocated_in(study: Study, person: UntrustedRow) -> str:
    """Return everything that a participant with an arm was allocated to, as the study reads it."""
    return allocated_to(study, str(person["arm"]), person.values.get("second_treatment"))


def _stages_of(
    opened: UntrustedDataset, person: UntrustedRow, turn: UntrustedRow, visits: Sequence[UntrustedRow]
) -> set[str]:
    """Return the stages with an assistant during whose visit a turn was asked."""
    study, at = opened.study_of(person), turn["asked_at"]
    if study is None or at is None:
        return set()
    arm = allocated_in(study, person)
    helped = (stage for stage in study.stages if stage.kind == "tasks" and stage.assistant)
    stages = {stage.id for stage in helped if study.arm(arm, stage).assistant}
    return {
        str(visit["stage"])
        for visit in visits
        if visit["stage"] in stages
        and visit["started_at"] is not None
        and visit["started_at"] <= at
        and (visit["ended_at"] is None or at <= visit["ended_at"])
    }


def check_records(opened: UntrustedDataset, log: Mapping[str, Log]) -> None:
    """Check that each run, submission, turn and visit has its event, and each such event its row."""
    if not opened.own:
        return
    hidden = kinds_hidden(opened)
    # An agent's runs have events of another kind, against which they are held with its steps.
    pairs: list[tuple[TableName, str, Callable[[UntrustedRow], bool], str]] = [
        ("runs", "run_id", lambda row: row["kind"] == "run", "run_started"),
        ("runs", "run_id", lambda row: row["kind"] == "submission", "task_submitted"),
        ("turns", "turn_id", lambda row: True, "turn_started"),
        ("visits", "stage", lambda row: True, "stage_opened"),
    ]
    for table, key, wanted, kind in pairs:
        rows = opened.by_participant(table)
        for name in sorted({*rows, *log} - hidden):
            mine = {str(row[key]): row for row in rows.get(name, []) if wanted(row)}
            named = log[name].named.get(kind, set()) if name in log else set()
            for lost in sorted(named - set(mine)):
                what = f"{name}: the log has {kind} of {lost}, and there is no row"
                opened.report.add("row_without_record", opened.relative(table), None, what)
            for extra in sorted(set(mine) - named):
                what = f"{name}: {key} {extra} has no {kind} in the log"
                opened.report.add("record_without_event", opened.relative(table), mine[extra].number, what)
    for person in opened.rows("participants"):
        if str(person["participant_id"]) not in hidden and not person["data_withdrawn"]:
            _check_status(opened, person, log)
            _check_allocated(opened, person, log)
    opened.report.note("runs, submissions, turns, visits and statuses against the log")


def _check_allocated(opened: UntrustedDataset, person: UntrustedRow, log: Mapping[str, Log]) -> None:
    name, index = str(person["participant_id"]), person["allocation_index"]
    logged = log[name].named.get("allocated", set()) if name in log else set()
    if opened.allocation_applies and not opened.public and logged != ({str(index)} if index is not None else set()):
        said = " and ".join(sorted(logged)) or "none"
        what = f"{name}: allocation_index is {index}, the log says {said}"
        opened.report.add("allocation_unlogged", opened.relative("participants"), person.number, what)


def _check_status(opened: UntrustedDataset, person: UntrustedRow, log: Mapping[str, Log]) -> None:
    name = str(person["participant_id"])
    ended = log[name].named.get("status", set()) if name in log else set()
    # Nothing is stored when a person falls silent: `abandoned` is what the export calls them.
    if person["status"] not in {*(ended or ("in_progress", "abandoned")), "excluded"}:
        what = f"{name} is {person['status']}, the log says {' and '.join(sorted(ended)) or 'not over'}"
        opened.report.add("status_differs", opened.relative("participants"), person.number, what)
