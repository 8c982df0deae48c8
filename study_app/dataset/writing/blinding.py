"""What the audit log says of blinding: who saw what tells an arm, and what they did afterwards; people by numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from study_app.dataset.measures.late_judgements import is_late
from study_app.dataset.schema import timestamp
from study_app.domain.interaction.codes import people
from study_app.domain.records import AuditEntry, Kind, Rating

UNBLIND, LOOK = "unblind", "saw chats or code"


@dataclass(frozen=True)
class Blinding:
    """Who has seen what tells an arm of a real participant, and since when."""

    since: Mapping[str, datetime]
    """Name -> their first look."""
    numbers: Mapping[str, str]
    """Name -> what a dataset calls them."""
    kinds: Mapping[str, Kind]
    """Participant -> kind; acts of older versions do not name it."""
    unsealed: datetime | None
    """From when on the arms are known to everybody."""

    @classmethod
    def of(cls, entries: Sequence[AuditEntry], kinds: Mapping[str, Kind]) -> Blinding:
        """From the audit log and the kinds of all participants."""
        since: dict[str, datetime] = {}
        acting: dict[str, str] = {}
        unsealed = min((entry.at for entry in entries if entry.what == "unseal"), default=None)
        made = cls(since, acting, kinds, unsealed)
        for entry in entries:
            if made.unblinds(entry):
                since.setdefault(entry.who, entry.at)
            if made.unblinds(entry) or entry.what == "exclude":
                acting.setdefault(entry.who, f"person {len(acting) + 1}")
        return made

    def unblinds(self, entry: AuditEntry) -> bool:
        """Return whether an act showed what tells an arm of a real participant before everybody knew the arms."""
        early = self.unsealed is None or entry.at <= self.unsealed
        return early and is_unblinding(entry) and self._of_real(entry)

    def _of_real(self, entry: AuditEntry) -> bool:
        # A look says whose replay or way in it was behind its own words.
        seen = str(entry.detail.get("seen", "")).rpartition(" ")[2]
        whom = str(entry.detail.get("participant_id") or seen)
        return self.kinds.get(whom, "real") == "real"

    def after(self, who: str, at: datetime) -> bool:
        """Return whether a person had seen what tells an arm by then."""
        return who in self.since and self.since[who] < at

    def of_act(self, entry: AuditEntry) -> dict[str, Any]:
        """Return what a dataset adds to an act: who did it and, of a real participant, whether they had seen an arm."""
        if entry.what == UNBLIND:
            return {"by": self.numbers[entry.who]} if self.unblinds(entry) else {}
        if entry.what == "exclude":
            by = {"by": self.numbers[entry.who]}
            return by | {"after_unblinding": self.after(entry.who, entry.at)} if self._of_real(entry) else by
        return {}

    def looks(self, entries: Iterable[AuditEntry]) -> list[dict[str, Any]]:
        """Return the first looks at chats, code or a way in; of whom is left out, for it is the look that counts."""
        return [
            {"at": timestamp(each.at), "by": self.numbers[each.who], "seen": _what(str(each.detail.get("seen", "")))}
            for each in entries
            if each.what == LOOK and self.unblinds(each)
        ]

    def judgements(self, ratings: Sequence[Rating]) -> list[dict[str, Any]]:
        """Return how many ratings and codes people gave after they had seen what tells an arm, by rubric."""
        found = Counter(
            (self.numbers[each.rater], each.rubric)
            for each in ratings
            if people([each.rater]) and self.after(each.rater, each.rated_at)
        )
        return [{"by": by, "rubric": rubric, "n": n} for (by, rubric), n in sorted(found.items())]

    def late_judgements(self, ratings: Sequence[Rating]) -> list[dict[str, Any]]:
        """Return how many ratings and codes people gave once the arms were known to everybody, by rubric."""
        late = (each for each in ratings if is_late(each.object, each.rater, each.rated_at, self.unsealed))
        found = Counter(each.rubric for each in late)
        return [{"rubric": rubric, "n": n} for rubric, n in sorted(found.items())]


def is_unblinding(entry: AuditEntry) -> bool:
    """Whether an act shows what tells an arm of a real participant; a trial with previews has nothing to hide."""
    return entry.what == LOOK or (entry.what == UNBLIND and entry.detail.get("kind", "real") == "real")


def _what(seen: str) -> str:
    """Return what was seen without whose it was."""
    return {"replay": "a replay", "link": "a link that leads in"}.get(seen.split(" ")[0], seen)
