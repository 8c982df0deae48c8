"""Recruitment as it runs: a pause for newcomers, and how far the quotas are filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from study_app.domain.errors import NotAllowed
from study_app.domain.records import AuditEntry, Kind, Participant
from study_app.domain.study.sections import Quota
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.places import (
    RECRUITMENT_PAUSED,
    RESUMED_RECRUITMENT,
    places_taken,
    quota_taken,
    recruitment_paused,
)
from study_app.services.reasons import require_reason

PAUSE = "pause recruitment"
"""What the audit log calls them."""


@dataclass(frozen=True)
class QuotaFill:
    """How far one quota is filled."""

    quota: Quota
    taken: int
    limit: int


@dataclass(frozen=True)
class RecruitmentView:
    """Recruitment at this moment."""

    paused_since: datetime | None
    places_taken: int
    target_n: int
    quotas: tuple[QuotaFill, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        quotas = [
            {"question": fill.quota.question, "answer": fill.quota.answer, "taken": fill.taken, "limit": fill.limit}
            for fill in self.quotas
        ]
        since = None if self.paused_since is None else self.paused_since.isoformat()
        return {"paused_since": since, "places_taken": self.places_taken, "target_n": self.target_n, "quotas": quotas}


class Recruiting:
    """Pauses and resumes recruitment; participants who are in go on."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def view(self, kind: Kind = "real") -> RecruitmentView:
        """Return how recruitment stands."""
        with self.context.registry.begin(write=False) as unit:
            return self.view_in(unit, kind)

    def view_in(
        self, unit: UnitOfWork, kind: Kind = "real", people: Sequence[Participant] | None = None
    ) -> RecruitmentView:
        """Return how recruitment stands; `people` are the real participants, where they are read already."""
        recruitment = self.context.study.recruitment
        fills = tuple(
            QuotaFill(quota, quota_taken(self.context, unit, quota, kind=kind), quota.limit(recruitment.target_n))
            for quota in recruitment.quotas
        )
        taken = places_taken(self.context, unit, people=people)
        return RecruitmentView(recruitment_paused(unit), taken, recruitment.target_n, fills)

    def pause(self, reason: str, who: str) -> None:
        """Let no newcomers in from now on: they read a kind page.

        Raises:
            NotAllowed: no reason, or the study does not recruit or is paused already.
        """
        require_reason(reason)
        with self.context.registry.begin() as unit:
            # As closing does: a pause that is taken after the close would stand for ever.
            unit.lock("life")
            if self.context.state(unit) != "launched":
                raise NotAllowed(f"only a launched study recruits; this one is {self.context.state(unit)}")
            if recruitment_paused(unit) is not None:
                raise NotAllowed("recruitment is paused already")
            now = self.context.now()
            unit.set_meta(RECRUITMENT_PAUSED, now.isoformat(timespec="milliseconds"))
            unit.add_audit(AuditEntry(now, who, PAUSE, reason, {}))

    def resume(self, reason: str, who: str) -> None:
        """Let newcomers in again.

        Raises:
            NotAllowed: no reason, or recruitment is not paused.
        """
        require_reason(reason)
        with self.context.registry.begin() as unit:
            unit.lock("life")
            if recruitment_paused(unit) is None:
                raise NotAllowed("recruitment is not paused")
            unit.set_meta(RECRUITMENT_PAUSED, "")
            unit.add_audit(AuditEntry(self.context.now(), who, RESUMED_RECRUITMENT, reason, {}))
