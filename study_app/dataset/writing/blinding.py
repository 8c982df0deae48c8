"""What the audit log says of blinding: who saw what tells an arm, and what they did afterwards; people by numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from study_app.dataset.schema import timestamp
from study_app.domain.interaction.codes import people
from study_app.domain.records import AuditEntry, Rating

UNBLIND, LOOK = "unblind", "saw chats or code"


@dataclass(frozen=True)
class Blinding:
    """Who has seen what tells an arm of a real participant, and since when."""

    since: Mapping[str, datetime]
    """Name -> their first look."""
    numbers: Mapping[str, str]
    """Name -> what a dataset calls them."""

    @classmethod
    def of(cls, entries: Iterable[AuditEntry]) -> Blinding:
        """From the audit log."""
        since: dict[str, datetime] = {}
        acting: dict[str, str] = {}
        for entry in entries:
            if is_unblinding(entry):
                since.setdefault(entry.who, entry.at)
            if is_unblinding(entry) or entry.what == "exclude":
                acting.setdefault(entry.who, f"person {len(acting) + 1}")
        return cls(since, acting)

    def after(self, who: str, at: datetime) -> bool:
        """Whether a person had seen what tells an arm by then."""
        return who in self.since and self.since[who] < at

    def of_act(self, entry: AuditEntry) -> dict[str, Any]:
        """Return what a dataset adds to an act: who did it, and whether they had seen an arm before."""
        if entry.what == UNBLIND:
            return {"by": self.numbers[entry.who]} if is_unblinding(entry) else {}
        if entry.what == "exclude":
            return {"by": self.numbers[entry.who], "after_unblinding": self.after(entry.who, entry.at)}
        return {}

    def looks(self, entries: Iterable[AuditEntry]) -> list[dict[str, Any]]:
        """Return the first looks at chats, code or a way in; of whom is left out, for it is the look that counts."""
        return [
            {"at": timestamp(each.at), "by": self.numbers[each.who], "seen": _what(str(each.detail.get("seen", "")))}
            for each in entries
            if each.what == LOOK
        ]

    def judgements(self, ratings: Sequence[Rating]) -> list[dict[str, Any]]:
        """Return how many ratings and codes people gave after they had seen what tells an arm, by rubric."""
        found = Counter(
            (self.numbers[each.rater], each.rubric)
            for each in ratings
            if people([each.rater]) and self.after(each.rater, each.rated_at)
        )
        return [{"by": by, "rubric": rubric, "n": n} for (by, rubric), n in sorted(found.items())]


def is_unblinding(entry: AuditEntry) -> bool:
    """Whether an act shows what tells an arm of a real participant; a trial with previews has nothing to hide."""
    return entry.what == LOOK or (entry.what == UNBLIND and entry.detail.get("kind", "real") == "real")


def _what(seen: str) -> str:
    """Return what was seen without whose it was."""
    return {"replay": "a replay", "link": "a link that leads in"}.get(seen.split(" ")[0], seen)
