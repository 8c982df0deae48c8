"""The exception tree. Every class says who is to blame; every message says what to do.

StudyError
+-- UserError                  a person can fix it; printed as one line, exit 2
|   +-- ProblemsFound          several problems of files, all at once
|   +-- NotAllowed             the study's state or the stage forbids it (HTTP 409)
|   |   +-- PanelRefusal       the panel does not take a request
|   |   +-- Superseded         another page of the participant has taken over
|   +-- Malformed              nothing that a page of ours sends (HTTP 400)
|   |   +-- TooLong            longer than the stated limit (HTTP 413)
|   +-- UnknownParticipant     no, wrong or expired identity (HTTP 401)
|   +-- Refused                the arm forbids it (HTTP 403)
+-- InfrastructureError        not the user's fault; exit 1
    +-- Conflict               another transaction was in the way: nothing is stored, trying again may do
    +-- SandboxUnavailable     programs cannot be run safely or at all
    +-- AssistantUnavailable   the assistant's provider failed
    +-- PanelUnanswered        the panel did not answer: it may have been done, and may not
    +-- SealingKeyMissing      no sealing key, so no participant can be allocated
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

Value = TypeVar("Value")


class StudyError(Exception):
    """Anything study-app raises on purpose."""


class UserError(StudyError):
    """A person can fix it: the message names what was found and what to do."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with one key of one file."""

    file: str
    """The file as the user named it."""
    key: str
    """Dotted path of the key, `row 3, column x` for a table, empty for the whole file."""
    what: str
    """What is wrong, with the value found."""
    remedy: str
    """What to do about it."""

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}" if self.key else self.file
        return f"{where}: {self.what}; {self.remedy}"


class ProblemsFound(UserError):
    """All problems of one reading, so that they can be fixed in one go."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class NotAllowed(UserError):
    """The study's state or the participant's stage does not allow it."""


class PanelRefusal(NotAllowed):
    """The panel does not take a request; nothing was done there."""


class Superseded(NotAllowed):
    """Another page of the same participant has taken the attempt over."""


class Malformed(UserError):
    """What was sent is nothing that a page of ours sends."""


class TooLong(Malformed):
    """What was sent is longer than the stated limit."""


class UnknownParticipant(UserError):
    """No, wrong or expired identity."""


class Taken(NotAllowed):
    """Another person's study is in progress in this browser."""


class Refused(UserError):
    """The participant's arm does not allow it."""


class InfrastructureError(StudyError):
    """Something of ours failed; no participant is to blame."""


class Conflict(InfrastructureError):
    """Another transaction was in the way of this one, of which nothing is stored; trying again may do."""


class PanelUnanswered(InfrastructureError):
    """The panel did not answer: it may have been done, and may not."""


class SandboxUnavailable(InfrastructureError):
    """Programs cannot be run."""


class AssistantUnavailable(InfrastructureError):
    """The assistant could not answer."""

    def __init__(self, kind: str, message: str, retry_after: float | None = None) -> None:
        self.kind = kind
        """A `Failure` of `study_app.domain.events.words`."""
        self.retry_after = retry_after
        """Seconds to wait, where the provider said so."""
        super().__init__(message)


class ModelNotServed(AssistantUnavailable):
    """The provider knows the model no more: nothing was said, and asking again brings nothing."""

    def __init__(self, message: str) -> None:
        super().__init__("other", message)


class SealingKeyMissing(InfrastructureError):
    """The key that opens the sealed seed is not to be found."""


def present(value: Value | None, what: str) -> Value:
    """Return a value that the rules of the trial guarantee.

    Raises:
        InfrastructureError: it is missing, because something else wrote to the database or a rule was broken.
    """
    if value is None:
        raise InfrastructureError(f"{what} is missing; the database was changed by something other than study-app")
    return value
