"""Columns of participants and visits against the tables they come from, by the code that derived them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from study_app.dataset.measures.activity import uses
from study_app.dataset.measures.assistant import acted_for
from study_app.dataset.measures.compliance import evidence_of
from study_app.dataset.measures.interaction import Codes, Coding
from study_app.dataset.measures.provenance import Programs
from study_app.dataset.measures.record import ParticipantRecord, identity_and_flow, newest
from study_app.dataset.measures.row import DerivedData, participant_row
from study_app.dataset.measures.visits.periods import periods
from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow, kind_of
from study_app.dataset.reading.records import Materials, evidence_in, record_of
from study_app.dataset.schema import REVEALING, Column, TableName, writable
from study_app.dataset.verification.answers import check_answers
from study_app.dataset.verification.derived.acting import check_actions
from study_app.dataset.verification.derived.comparing import (
    TOLERANCE,
    TOLERANCE_OF_TIME,
    close,
    compare_rows,
    same,
)
from study_app.dataset.verification.derived.interviews import check_interviews
from study_app.dataset.verification.derived.items import check_items
from study_app.dataset.verification.derived.points_of_people import check_points_of_people, points_by_people
from study_app.dataset.verification.derived.probes import check_probes
from study_app.dataset.verification.derived.replies import check_reply_code
from study_app.dataset.verification.derived.sessions import check_sessions
from study_app.dataset.verification.derived.variants import check_hack_class
from study_app.dataset.verification.derived.verdicts import check_attention, check_verdicts
from study_app.domain.events import SERVER_PAGE
from study_app.domain.interaction.codebook import LABELS
from study_app.domain.records import NO_PLACE, Rating
from study_app.domain.study.clusters import COLUMN
from study_app.domain.study.compliance import Evidence
from study_app.domain.timing import TimeUse

_TABLES: tuple[TableName, ...] = (
    "visits", "runs", "turns", "answers", "compliance", "periods", "allocations", "agent_actions", "interviews",
    "interview_turns", "sessions", "probes",
)  # fmt: skip


class Derived:
    """Compares one participant after the other with what their rows give."""

    def __init__(self, opened: UntrustedDataset) -> None:
        self.opened = opened
        self._contents: dict[str, Materials] = {}
        latest = next(iter(opened.studies.values()), None)
        self.coding = Coding.of(latest) if latest is not None else None
        ratings = _ratings(opened)
        self.ratings, self.points = newest(ratings), points_by_people(ratings)
        self.rows = {name: opened.by_participant(name) for name in _TABLES}
        self.recorded = _recorded(opened)
        self.without_place = _without_place(opened)
        self.columns = {column.name: column for column in opened.tables["participants"].columns}

        self._left = {str(person["participant_id"]): person for person in opened.rows("participants")}

    def take(self, name: str, events: Sequence[UntrustedRow]) -> None:
        """Check a participant of whom these are the events."""
        # Taken out: where a forger has split the events of one person, the second part must not pass for a whole.
        person = self._left.pop(name, None)
        if person is not None and self.opened.own:
            self._check(person, events)

    def check_rest(self) -> None:
        """Check everybody without events."""
        for name in list(self._left):
            self.take(name, ())
        self.opened.report.note("derived columns against the tables they come from")

    def _check(self, person: UntrustedRow, events: Sequence[UntrustedRow]) -> None:
        """Every column of one participant that the tables give."""
        name, study = str(person["participant_id"]), self.opened.study_of(person)
        if study is None or self.coding is None:
            return
        tables = {table: rows.get(name, []) for table, rows in self.rows.items()}
        hidden = self.opened.hides(kind_of(person))
        record = record_of(person, study, tables, events, self.ratings, hidden=hidden)
        content = self._content(str(person["study_hash"]))
        # Time is measured by all events, and of a masked person the dataset has some only.
        use = {} if hidden else uses(record)
        work = self._work(record, tables, use)
        expected = participant_row(record, content, self.coding, work)
        if person["interaction_pattern"] is not None:
            # By rules over columns of which some are taken as exported.
            pattern = self.coding.pattern(record, person.values, work.codes, work.replies)
            expected["interaction_pattern"] = pattern
        for column in self._compared(record, hidden, content):
            found, due = person[column.name], expected.get(column.name)
            if not same(column, found, due) and not _by_older_rule(column, found, record):
                self._add(person, f"{name}: {column.name} is {found}, the tables give {due}")
        self._exclusion(person)
        self._cluster(person, [*events, *(row for rows in tables.values() for row in rows)])
        self._points(tables["answers"])
        if not hidden:
            check_sessions(self.opened, record, tables["sessions"])
            self._visits(tables["visits"], use)
            self._paused(record, tables["visits"])
            self._periods(record, tables["periods"], content)
            check_answers(self.opened, record, tables["answers"], content)
            check_items(self.opened, record, tables["answers"], content)
            check_points_of_people(self.opened, tables["answers"], self.points)
            self._evidence(person, work.evidence, evidence_of(record, content))
            check_verdicts(self.opened, tables["compliance"], record.study.analysis.compliance)
            check_attention(self.opened, person)
            self._codes(tables["turns"], self.coding.codes(record))
            check_reply_code(self.opened, tables["turns"])
            check_actions(self.opened, record, tables["agent_actions"], tables["turns"])
            check_interviews(self.opened, record, tables["interviews"], tables["interview_turns"])
            check_probes(self.opened, record, tables["probes"])
            check_hack_class(self.opened, person, tables["runs"])

    def _work(
        self, record: ParticipantRecord, tables: Mapping[TableName, Sequence[UntrustedRow]], use: dict[str, TimeUse]
    ) -> DerivedData:
        turns = {str(turn["turn_id"]): turn for turn in tables["turns"]}
        by_rules = self.coding is not None and self.coding.coder == "rules" and self.coding.reads(record)
        codes = {n: None if turn["codes"] is None and not by_rules else labels_of(turn) for n, turn in turns.items()}
        replies = {name: turn.values for name, turn in turns.items()}
        acts, book = "agent_actions" in self.opened.files, self.opened.codebook
        return DerivedData(use, Programs((), False), codes, acts, replies, evidence_in(tables["compliance"]), book)

    def _content(self, study_hash: str) -> Materials:
        """Return what those who began with a version met."""
        if study_hash not in self._contents:
            found = self._contents[study_hash] = Materials(self.opened, study_hash)
            study = self.opened.studies.get(study_hash)
            for quiz in study.quizzes if study is not None else ():
                if found.lost(quiz.stage.bank):
                    what = f"version {study_hash[:12]}: the items of {quiz.stage.id} are not here; not compared"
                    self.opened.report.note(what)
        return self._contents[study_hash]

    def _compared(self, record: ParticipantRecord, hidden: bool, content: Materials) -> list[Column]:
        flow = identity_and_flow(record)
        erased = record.participant.data_withdrawn
        quiz = any(answer.bank and answer.points is None for answer in record.answers)
        unknown = _without_items(record, content)
        return [
            column
            for column in self.columns.values()
            if column.name not in flow
            and (erased or _shown(column, hidden))
            and not (quiz and column.name.endswith(("_points", "_score")))
            and not column.name.startswith(unknown)
        ]

    def _add(self, person: UntrustedRow, what: str) -> None:
        self.opened.report.add("derived_differs", self.opened.relative("participants"), person.number, what)

    def _exclusion(self, person: UntrustedRow) -> None:
        name, file = str(person["participant_id"]), self.opened.relative("participants")
        if person["exclusion_reason"] and person["status"] != "excluded":
            self._add(person, f"{name}: status is {person['status']}, though excluded")
        # The platform itself excludes who found no place; that is an event, and no act in the audit log.
        recorded = self.recorded.get(name) or (NO_PLACE if name in self.without_place else None)
        unknown = recorded is None and self.opened.acts("reimports")
        if person["exclusion_reason"] and recorded != person["exclusion_reason"] and not unknown:
            what = f"{name} is excluded, and neither the audit log nor the events know of an exclusion for this reason"
            self.opened.report.add("exclusion_unrecorded", file, person.number, what)
        if name in self.recorded and not person["exclusion_reason"]:
            what = f"{name} was excluded by the audit log and is not in the table"
            self.opened.report.add("exclusion_lifted", file, person.number, what)

    def _points(self, answers: Sequence[UntrustedRow]) -> None:
        for answer in answers:
            points, most = answer["points"], answer["max_points"]
            if points is not None and most is not None and points > most + TOLERANCE:
                what = f"{points} points of {most}"
                self.opened.report.add("out_of_range", self.opened.relative("answers"), answer.number, what)

    def _evidence(self, person: UntrustedRow, listed: Sequence[Evidence], due: Sequence[Evidence]) -> None:
        for kind in ("other_ai_reported", "outside_paste", "away", "answer_paste", "quiz_away"):
            found, expected = _amounts(listed, kind), _amounts(due, kind)
            # Sorted amounts and not rows: by a moment's rounding two pieces may change places.
            pairs = zip(found, expected, strict=False)
            if len(found) != len(expected) or not all(close(a, b, TOLERANCE_OF_TIME) for a, b in pairs):
                what = f"{person['participant_id']}: {kind} of {found}, the events and answers give {expected}"
                self.opened.report.add("derived_differs", self.opened.relative("compliance"), None, what)

    def _codes(self, turns: Sequence[UntrustedRow], due: Codes) -> None:
        """Check that the codes of queries follow from the messages, or from the ratings, by the plan's coder."""
        for turn in turns:
            expected = due.get(str(turn["turn_id"])) or ()
            if labels_of(turn) != tuple(expected):
                what = f"turn {turn['turn_id']}: codes are {turn['codes']}, the coder gives {';'.join(expected)}"
                self.opened.report.add("derived_differs", self.opened.relative("turns"), turn.number, what)

    def _cluster(self, person: UntrustedRow, rows: Sequence[UntrustedRow]) -> None:
        """Every row of a participant names the same cluster."""
        wrong = [row for row in rows if COLUMN in row.values and row[COLUMN] != person[COLUMN]]
        if wrong and not person["data_withdrawn"]:
            what = f"{person['participant_id']} is of cluster {person[COLUMN]}, other tables say {wrong[0][COLUMN]}"
            self.opened.report.add("cluster_differs", self.opened.relative("participants"), person.number, what)

    def _periods(self, record: ParticipantRecord, found: Sequence[UntrustedRow], content: Materials) -> None:
        """Check that periods follow from the order of treatments, the visits, runs, turns and answers."""
        if "periods" not in self.opened.tables or _without_items(record, content):
            return
        due = list(periods(record, content))
        # Columns that the table lacks are named where its header is checked.
        derived = {name for row in due for name in row} & {name for row in found for name in row.values}
        compare_rows(
            self.opened,
            "periods",
            found,
            due,
            columns=[column for column in self.opened.tables["periods"].columns if column.name in derived],
            finding="derived_differs",
            sentence=lambda column, was, given: f"{column} is {was}, the tables give {given}",
            number=f"{record.participant.id}: {len(found)} periods, the visits give {len(due)}",
            agree=same,
        )

    def _paused(self, record: ParticipantRecord, visits: Sequence[UntrustedRow]) -> None:
        due = _paused_by_stage(record)
        for visit in visits:
            found, expected = visit["paused_seconds"], due.get(str(visit["stage"]))
            if "paused_seconds" in visit.values and not close(found, expected, TOLERANCE_OF_TIME):
                what = f"paused_seconds of {visit['stage']} is {found}, limit and deadline give {expected}"
                self.opened.report.add("derived_differs", self.opened.relative("visits"), visit.number, what)

    def _visits(self, visits: Sequence[UntrustedRow], use: Mapping[str, TimeUse]) -> None:
        for visit in visits:
            spent = use.get(str(visit["stage"]))
            active, away = (None, None) if spent is None else (spent.active, spent.away)
            for name, value in (("active_seconds", active), ("away_seconds", away)):
                if not close(visit[name], value, TOLERANCE_OF_TIME):
                    what = f"{name} of {visit['stage']} is {visit[name]}, the events give {value}"
                    self.opened.report.add("derived_differs", self.opened.relative("visits"), visit.number, what)


def _shown(column: Column, hidden: bool) -> bool:
    """Whether the dataset has what a column follows from; where arms are hidden, it goes without events and turns."""
    if column.derived_by == "unpublished":
        return False
    return not hidden or (column.derived_by == "tables" and column.name not in REVEALING)


def _by_older_rule(column: Column, found: Any, record: ParticipantRecord) -> bool:
    """Whether an older version gave this value: `received` took no notice of an agent that acted without a word."""
    silent = column.name == "received" and not any(turn.reply for turn in record.turns)
    return silent and found is not None and not found and acted_for(record)


def _without_items(record: ParticipantRecord, content: Materials) -> tuple[str, ...]:
    """Return how columns begin of quizzes whose items, as this person met them, the dataset does not hold."""
    lacking = (quiz for quiz in record.study.quizzes if content.lost(quiz.stage.bank))
    return tuple(f"{prefix}_" for quiz in lacking for prefix in quiz.prefixes)


def _paused_by_stage(record: ParticipantRecord) -> dict[str, float | None]:
    return {visit.stage: record.paused(visit) for visit in record.visits}


def labels_of(turn: UntrustedRow) -> tuple[str, ...]:
    """Labels of a turn as the dataset has them."""
    given = str(turn["codes"] or "").split(";")
    return tuple(label for label in LABELS if label in given)


def _amounts(evidence: Sequence[Evidence], kind: str) -> list[float]:
    return sorted(piece.amount for piece in evidence if piece.kind == kind)


def _ratings(opened: UntrustedDataset) -> list[Rating]:
    return [
        Rating(
            rating_id=str(row["rating_id"]),
            object=str(row["object"]),
            rater=str(row["rater"]),
            value=row["value"] or "",
            rubric=str(row["rubric"]),
            rated_at=row["rated_at"],
        )
        for row in opened.rows("ratings")
        if row["rated_at"] is not None
    ]


def _recorded(opened: UntrustedDataset) -> dict[str, str]:
    """Excluded participants with the reason that was given last."""
    return {str(act.get("participant_id")): writable(str(act.get("why"))) for act in opened.acts("exclusions")}


def _without_place(opened: UntrustedDataset) -> set[str]:
    """Participants for whom no place was free, as the event log says; the platform excludes them itself."""
    # Events are read a second time for it, and there may be millions of them.
    if not any(person["exclusion_reason"] == NO_PLACE for person in opened.rows("participants")):
        return set()
    events = opened.rows("events")
    return {str(row["participant_id"]) for row in events if (row["page"], row["kind"]) == (SERVER_PAGE, "no_place")}
