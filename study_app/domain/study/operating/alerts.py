"""The [alerts] table of a study file: what researchers hear of while a trial runs, and how.

It says nothing about the trial, and thresholds are found by experience: so it is not part of the protocol's hash and
may be changed at any time, also after the launch. A running server reads it at its next start.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from study_app.domain.study.sections import StudySection

Channel = Literal["mail", "webhook"]
_ADDRESS = re.compile(r"[^\s@<>,;\"]{1,64}@[A-Za-z0-9.-]{1,250}")


class Alerts(StudySection):
    """What the server reports to the researchers: once when it begins and once when it is over.

    The console and the audit log list every incident, also where neither mail nor webhook is named.
    """

    mail: tuple[str, ...] = Field(default=(), max_length=20)
    """Addresses that get a mail; needs `STUDY_SMTP_URL` and `STUDY_MAIL_FROM`."""
    webhook: bool = False
    """Whether to post to the address in `STUDY_ALERT_WEBHOOK`, which is often a secret and so not written here."""
    nobody_enrolled_hours: Annotated[float, Field(gt=0, le=2000)] | None = None
    """Hours without a new participant while enrolment is open."""
    failed_replies: Annotated[int, Field(ge=1, le=100)] | None = None
    """Replies of an assistant that fail in a row, of whichever participants; over with the next one that does not."""
    failed_runs: Annotated[int, Field(ge=1, le=100)] | None = None
    """Programs of participants that the server cannot run or grade in a row, through no fault of theirs; over with the
    next one that it can."""
    server_gone: bool = True
    """A server ended without saying goodbye (a crash, a kill, a machine that is off) while participants were at work;
    over once a server has started since."""
    budget_share: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of `assistant_policy.study_cost_limit` that is used, such as 0.8."""
    disk_free_gb: Annotated[float, Field(gt=0, le=100_000)] | None = None
    """Gigabytes of free disk space below which there is an alert, on each machine that serves."""
    isolation: bool = True
    """Programs are less isolated than the study file accepts, so that the study is paused."""
    clock_step: bool = True
    """The machine's clock was set ahead or back."""
    model_retires: bool = True
    """A model that a treatment names is retired, its provider has announced an end before recruitment ends, or a
    recording answers in its place."""
    model_drift: bool = True
    """The newest round of fixed questions was answered by another model, or differently, than at the launch."""

    @field_validator("mail")
    @classmethod
    def _addresses(cls, mail: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [address for address in mail if not _ADDRESS.fullmatch(address)]
        if wrong:
            raise ValueError(f"'{wrong[0]}' is not a mail address; write it as anna@example.org, without a name")
        return tuple(dict.fromkeys(mail))

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The ways by which alerts leave the server."""
        found: list[Channel] = ["mail"] if self.mail else []
        return (*found, "webhook") if self.webhook else tuple(found)


def alert_problems(alerts: Alerts, cost_limit: float | None) -> list[str]:
    """Return what of the table the rest of the study file contradicts."""
    if alerts.budget_share is not None and cost_limit is None:
        return [
            "alerts.budget_share: there is no budget to be a share of; set assistant_policy.study_cost_limit, or leave "
            "this out"
        ]
    return []
