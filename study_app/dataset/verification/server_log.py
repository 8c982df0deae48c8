"""One participant's events by kind and by what they are about, as the checks look them up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from study_app.dataset.reading.dataset import UntrustedDataset, UntrustedRow, kind_of
from study_app.domain.events import SERVER_PAGE, EventDetails, details_of, tells_of_reply
from study_app.domain.events.server import Allocated, StageEnded, StageOpened, TurnEnded, TurnStarted

ENDINGS = {
    "finished": "completed",
    "declined": "declined",
    "screened_out": "screened_out",
    "no_place": "screened_out",
    "quota_full": "screened_out",
    "place_lost": "abandoned",
    "session_missed": "abandoned",
    "withdrew": "withdrawn",
}
"""Events after which a participant's way is over -> the status that follows."""


@dataclass
class Log:
    """What other checks need to know of one participant's events."""

    named: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Kind of server event -> ids of runs, turns or stages that such events name."""
    assisted: list[UntrustedRow] = field(default_factory=list)
    """The server's events of turns with an assistant."""
    claims: list[UntrustedRow] = field(default_factory=list)
    """A browser's events that report a reply, which only a participant with an assistant can honestly send."""
    by_subject: dict[tuple[str, str, str], list[UntrustedRow]] = field(default_factory=lambda: defaultdict(list))
    """The server's events by kind, and by what they are about: `stage`, `run_id` or `turn_id`, and its id."""

    def of(self, kind: str, about: str = "", which: Any = "") -> list[UntrustedRow]:
        """Return the server's events of a kind, all or those about one stage, run or turn, in order."""
        return self.by_subject.get((kind, about, str(which)), [])


def said(row: UntrustedRow) -> EventDetails:
    """Return what an event says, whatever a forged cell holds."""
    return details_of(str(row["kind"]), row["payload"])


def log_of(events: Iterable[UntrustedRow]) -> Log:
    """Return what other checks need to know of one participant's events."""
    log = Log()
    for row in events:
        details = said(row)
        if row["page"] == SERVER_PAGE:
            _note(log, row, details)
        elif tells_of_reply(str(row["kind"]), row["payload"]):
            log.claims.append(row)
    return log


def _note(log: Log, row: UntrustedRow, details: EventDetails) -> None:
    """Enter an event of the server's own under its kind, its stage, and the run or turn that it names."""
    kind = str(row["kind"])
    log.by_subject[kind, "", ""].append(row)
    log.by_subject[kind, "stage", str(row["stage"])].append(row)
    for key in ("run_id", "turn_id"):
        if name := getattr(details, key, None):
            log.named[kind].add(name)
            log.by_subject[kind, key, name].append(row)
    if isinstance(details, Allocated):
        log.named[kind].add(str(details.index))
    # By the kind: also an erased payload leaves these acts.
    if kind in (StageOpened.kind, StageEnded.kind):
        log.named[kind].add(str(row["stage"]))
    if kind in (TurnStarted.kind, TurnEnded.kind):
        log.assisted.append(row)
    if kind in ENDINGS:
        log.named["status"].add(ENDINGS[kind])


def kinds_hidden(opened: UntrustedDataset) -> set[str]:
    """Participants of whom part of the log is withheld."""
    return {str(person["participant_id"]) for person in opened.rows("participants") if opened.hides(kind_of(person))}
