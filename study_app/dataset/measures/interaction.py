"""Codes of queries by the plan's coder, and the pattern of use by the study's rule set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from study_app.dataset.measures.record import ParticipantRecord
from study_app.domain.events import Event
from study_app.domain.events.browser import Edit, TextEvent
from study_app.domain.events.server import ProgramEvent, TaskShown, TurnStarted
from study_app.domain.interaction import rules
from study_app.domain.interaction.codebook import LABELS, VERSION
from study_app.domain.interaction.codes import RUBRIC, Coder, chosen
from study_app.domain.interaction.features import Known, features_of
from study_app.domain.interaction.patterns import NONE, RuleSet, decide, rules_of
from study_app.domain.interaction.steps import OF_EVENTS, UseStep, arranged, milliseconds, of_event, of_turn
from study_app.domain.records import Turn
from study_app.domain.study.study import Study

Codes = dict[str, tuple[str, ...] | None]
"""Turn -> labels; None where the plan's coder has not coded it."""


@dataclass(frozen=True)
class Coding:
    """How this study's queries and patterns are coded: by the version in force, for every participant."""

    coder: Coder
    patterns: RuleSet

    @classmethod
    def of(cls, study: Study) -> Coding:
        """Return the coding of a study."""
        return cls(study.analysis.coder, rules_of(study.styles))

    def described(self) -> dict[str, str]:
        """For the manifest."""
        version = {"coder_version": rules.VERSION} if self.coder == "rules" else {}
        return {"coder": self.coder, **version, "codebook": VERSION, "patterns": self.patterns.version}

    def codes(self, record: ParticipantRecord) -> Codes:
        """Return the codes of every turn of a participant.

        `rules` follow from the messages, of participants in English: others stay uncoded. `human` are the adjudicated
        rating, else what more than half of the people gave; `claude` are the ratings stored under that name.
        """
        if self.coder == "rules" and not self.reads(record):
            return dict.fromkeys([turn.id for turn in record.turns])
        if self.coder == "rules":
            coded = rules.code_session([turn.message for turn in record.turns])
            return {turn.id: each.labels for turn, each in zip(record.turns, coded, strict=True)}
        return {turn.id: chosen(_given(record, turn), self.coder) for turn in record.turns}

    def reads(self, record: ParticipantRecord) -> bool:
        """Return whether the plan's coder reads the participant's language: the rules know English only."""
        return self.coder != "rules" or (record.participant.language or record.study.language) == rules.READS

    def counts(self, record: ParticipantRecord, codes: Codes) -> dict[str, int | None]:
        """Return queries by label; None where not every query is coded."""
        given = [codes[turn.id] for turn in record.turns]
        known = [labels for labels in given if labels is not None]
        whole = len(known) == len(given)
        return {f"queries_{label}": sum(label in labels for labels in known) if whole else None for label in LABELS}

    def pattern(
        self, record: ParticipantRecord, row: Mapping[str, Any], codes: Codes, uses: Mapping[str, Mapping[str, Any]]
    ) -> str | None:
        """Return the pattern of one participant; `none` where no rule holds or nothing was asked.

        None where there is nothing to classify: an arm without an assistant, main tasks that were never opened or are
        still going on, a query that is not coded.

        Args:
            record: of the participant.
            row: their columns as far as known.
            codes: of their turns.
            uses: what became of the replies (`provenance.reply_uses`).
        """
        if not _applies(record) or None in codes.values():
            return None
        if not record.turns:
            return NONE
        found = features_of(_steps(record, codes), _known(record.turns, row, uses), logged=True)
        return decide(record.participant.id, found, self.patterns).pattern


def _given(record: ParticipantRecord, turn: Turn) -> dict[str, tuple[str, ...]]:
    """Rater -> labels, of all ratings of one query."""
    rated = record.rated(turn.id, RUBRIC)
    return {rater: tuple(label for label in LABELS if label in value.split(";")) for rater, value in rated.items()}


def _applies(record: ParticipantRecord) -> bool:
    helped = record.study.has_assistant(record.participant.allocated)
    opened = any(record.visit(stage.id) for stage in record.main_stages)
    return helped and opened and all(map(record.done_with, record.main_stages))


def _steps(record: ParticipantRecord, codes: Codes) -> Sequence[UseStep]:
    found: list[UseStep] = []
    for rank, event in enumerate(record.events):
        if event.stage in record.main_ids and event.kind in OF_EVENTS:
            pasted = isinstance(event.details, Edit) and event.details.how == "paste"
            step = of_event(event.kind, milliseconds(event.server_time), rank, _task(event), pasted)
            found += [step] if step is not None else []
    for turn in record.turns:
        found += of_turn(
            turn.id,
            milliseconds(turn.asked_at),
            turn.task,
            codes[turn.id] or (),
            turn.total_seconds,
            turn.composing_seconds,
        )
    return arranged(found)[0]


def _task(event: Event) -> str | None:
    match event.details:
        case TextEvent(task=task) | ProgramEvent(task=task) | TaskShown(task=task) | TurnStarted(task=task):
            return task
    return None


def _known(turns: Sequence[Turn], row: Mapping[str, Any], uses: Mapping[str, Mapping[str, Any]]) -> Known:
    pasted = _sum([uses.get(turn.id, {}).get("inserted_pasted_chars") for turn in turns])
    return Known(
        composing_seconds=_sum([turn.composing_seconds for turn in turns]) or 0.0,
        waiting_seconds=_sum([turn.total_seconds for turn in turns]),
        pasted_chars=row.get("pasted_chars_assistant") if pasted is None else pasted,
        retyped_chars=row.get("retyped_assistant_chars"),
        active_minutes=row.get("active_minutes"),
        task_minutes=row.get("task_minutes"),
    )


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
