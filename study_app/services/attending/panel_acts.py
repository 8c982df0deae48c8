"""Acts at the panel: approving, bonuses, messages, groups. Planned first, recorded, and never done twice.

What was done, or may have been, is written down before the panel is asked: a request without an answer is not repeated
until a person has looked there and says how it went (open_acts).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from study_app.domain.errors import NotAllowed, PanelRefusal, PanelUnanswered
from study_app.domain.records import AuditEntry
from study_app.ports import Panel
from study_app.services.attending.open_acts import OpenActs
from study_app.services.attending.paying import Payment, payments
from study_app.services.context import StudyContext
from study_app.services.operation.held_acts import CLAIMED, KEY, require_known
from study_app.services.reasons import add_act
from study_app.services.retrying import retried

Act = Literal["approve", "bonus", "message", "group"]
Done = Literal["planned", "done", "uncertain", "refused"]
AWAITING = "AWAITING REVIEW"
"""How the panel calls a submission that waits for its approval."""
BATCH = 200
"""Participants that the panel takes at once."""
LONGEST_MESSAGE = 2_000
_TYPED = ("text", "note")
"""What an act has of words: the message that was sent, and what the panel said, which may name a panel id."""


@dataclass(frozen=True)
class PanelAct:
    """One act on one participant, and how it went."""

    act: Act
    participant_id: str
    prolific_pid: str
    study_id: str
    session: str
    amount: float | None
    state: Done
    note: str = ""
    submission: str = field(default="", compare=False)


class PanelActs:
    """Plans and carries out acts at the panel."""

    def __init__(self, context: StudyContext, panel: Panel) -> None:
        self.context = context
        self._panel = panel

    # -- what is to be done --------------------------------------------------------------------------------------------

    def approvals(self) -> list[PanelAct]:
        """Submissions that wait for approval, of people who have completed the session."""
        done = [paid for paid in self._payments() if paid.status == "completed"]
        found = []
        for study, people in _by_study(done).items():
            waiting = {one.participant: one.id for one in self._panel.submissions(study) if one.status == AWAITING}
            found += [self._act("approve", paid, None, study, waiting[paid.prolific_pid])
                      for paid in people if paid.prolific_pid in waiting]  # fmt: skip
        return found

    def bonuses(self) -> list[PanelAct]:
        """Bonuses that were not paid yet, of people who have completed the session."""
        everybody = self._payments()
        owed = [paid for paid in everybody if paid.status == "completed" and paid.bonus]
        first = _first_sessions(everybody)
        came_by = self._came_by([paid for paid in owed if paid is not first[paid.participant_id]])
        found = []
        for paid in owed:
            # Who came back by a link handed in nothing for a later session, and one whom the panel does not know there
            # keeps it from paying all others.
            studies = (came_by.get((paid.participant_id, paid.session)), *first[paid.participant_id].studies)
            found += [self._act("bonus", paid, paid.bonus, study) for study in list(filter(None, studies))[:1]]
        return self._not_done(found)

    def messages(self, text: str, statuses: Sequence[str]) -> list[PanelAct]:
        """Return one message to everybody of these statuses who has not had it yet.

        Raises:
            NotAllowed: the message is empty or too long.
        """
        if not text.strip() or len(text) > LONGEST_MESSAGE:
            raise NotAllowed(f"a message has between 1 and {LONGEST_MESSAGE} characters")
        return self._once_each("message", statuses, _digest(text))

    def group(self, group: str, statuses: Sequence[str]) -> list[PanelAct]:
        """Everybody of these statuses who was not added to the group yet."""
        return self._once_each("group", statuses, group)

    # -- doing it ------------------------------------------------------------------------------------------------------

    def approve(self, planned: Sequence[PanelAct], who: str) -> list[PanelAct]:
        """Approve the submissions; approving one again changes nothing at the panel."""
        return self._do(planned, who, "", lambda _study, batch: self._panel.approve([one.submission for one in batch]))

    def pay(self, planned: Sequence[PanelAct], who: str) -> list[PanelAct]:
        """Pay the bonuses, each once."""

        def act(study: str, batch: Sequence[PanelAct]) -> None:
            amounts = [(one.prolific_pid, one.amount or 0.0) for one in batch]
            self._panel.pay_bonuses(self._panel.prepare_bonuses(study, amounts))

        return self._do(planned, who, "", act)

    def send(self, planned: Sequence[PanelAct], text: str, who: str) -> list[PanelAct]:
        """Send the message, to each once."""
        act = self._panel.message
        return self._do(planned, who, _digest(text), lambda study, batch: act(study, _ids(batch), text), {"text": text})

    def add(self, planned: Sequence[PanelAct], group: str, who: str) -> list[PanelAct]:
        """Add people to the group."""
        act = self._panel.add_to_group
        return self._do(planned, who, group, lambda _study, batch: act(group, _ids(batch)), {"group": group})

    def uncertain(self) -> list[str]:
        """Acts of which it is open whether they were done, as they are settled."""
        return OpenActs(self.context).names()

    def settle(self, name: str, *, done: bool, reason: str, who: str) -> None:
        """Say how an act went, after a look at the panel; see OpenActs."""
        OpenActs(self.context).settle(name, done=done, reason=reason, who=who)

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _payments(self) -> list[Payment]:
        with self.context.registry.begin(write=False) as unit:
            found = payments(self.context, unit)
        return [paid for paid in found if paid.prolific_pid]

    def _came_by(self, of_later: Sequence[Payment]) -> dict[tuple[str, str], str]:
        """Return the study in which each handed a session in, as the panel knows it; who did in none is left out."""
        found: dict[tuple[str, str], str] = {}
        for study, people in _by_study(of_later).items():
            there = {one.participant for one in self._panel.submissions(study)}
            found |= {(paid.participant_id, paid.session): study for paid in people if paid.prolific_pid in there}
        return found

    def _once_each(self, act: Act, statuses: Sequence[str], about: str) -> list[PanelAct]:
        """Return the act for each person, whatever the number of sessions, who has one of these statuses in one."""
        everybody = self._payments()
        first = _first_sessions(everybody)
        with self.context.registry.begin(write=False) as unit:
            kept = unit.meta_values(f"{KEY}:{act}:")
        # Of whichever session the act was written down.
        done = {
            key.split(":")[2] for key, value in kept.items() if key.endswith(f":{about}") and value["state"] in CLAIMED
        }
        wanted = {paid.participant_id for paid in everybody if paid.status in statuses} - done
        # By the first session, whichever has the status: two runs at once then claim the same act.
        return [self._act(act, paid, None, paid.studies[0]) for who, paid in first.items()
                if who in wanted and paid.studies]  # fmt: skip

    def _act(self, act: Act, paid: Payment, amount: float | None, study: str, submission: str = "") -> PanelAct:
        names = (act, paid.participant_id, paid.prolific_pid, study, paid.session)
        return PanelAct(*names, amount, "planned", paid.note, submission)

    def _not_done(self, acts: Iterable[PanelAct]) -> list[PanelAct]:
        with self.context.registry.begin(write=False) as unit:
            kept = unit.meta_values(f"{KEY}:")
        states = {key: value["state"] for key, value in kept.items()}
        return [one for one in acts if states.get(_key(one, "")) not in CLAIMED]

    def _do(
        self,
        planned: Sequence[PanelAct],
        who: str,
        about: str,
        act: Callable[[str, Sequence[PanelAct]], None],
        more: dict[str, Any] | None = None,
    ) -> list[PanelAct]:
        by_study: dict[str, list[PanelAct]] = defaultdict(list)
        for one in planned:
            by_study[one.study_id].append(one)
        done: list[PanelAct] = []
        for study, everybody in by_study.items():
            for start in range(0, len(everybody), BATCH):
                done += self._batch(study, everybody[start : start + BATCH], who, about, act, more or {})
        return done

    def _batch(
        self,
        study: str,
        batch: Sequence[PanelAct],
        who: str,
        about: str,
        act: Callable[[str, Sequence[PanelAct]], None],
        more: dict[str, Any],
    ) -> list[PanelAct]:
        claimed = self._claim(batch, about)
        if not claimed:
            return []
        state: Done = "done"
        note = ""
        try:
            act(study, claimed)
        except PanelRefusal as refusal:
            state, note = "refused", str(refusal)
        except PanelUnanswered as silence:
            state, note = "uncertain", str(silence)
        except Exception:
            # Nothing was asked: what was written down beforehand does not hold.
            self._keep(claimed, about, "refused", who, more | {"note": "nothing was asked"})
            raise
        self._keep(claimed, about, state, who, more | {"note": note})
        return [PanelAct(o.act, o.participant_id, o.prolific_pid, o.study_id, o.session, o.amount, state, note)
                for o in claimed]  # fmt: skip

    def _claim(self, batch: Sequence[PanelAct], about: str) -> list[PanelAct]:
        """Write down that these are about to be asked for; those that another run has asked for are left out."""
        with self.context.registry.begin() as unit:
            unit.lock(KEY)
            free = []
            for one in batch:
                if one.act in ("bonus", "message"):
                    require_known(unit, one.act)
                kept = unit.meta_value(_key(one, about))
                repeatable = one.act == "approve"
                if repeatable or kept is None or kept["state"] not in CLAIMED:
                    unit.set_meta_value(_key(one, about), {"state": "asked", "amount": one.amount})
                    free.append(one)
            return free

    @retried
    def _keep(self, batch: Sequence[PanelAct], about: str, state: Done, who: str, more: dict[str, Any]) -> None:
        kept = {"done": "done", "uncertain": "asked"}.get(state, "refused")
        with self.context.registry.begin() as unit:
            unit.lock(KEY)
            for one in batch:
                unit.set_meta_value(_key(one, about), {"state": kept, "amount": one.amount})
            people = {one.participant_id: one.amount for one in batch}
            detail = {"study_id": batch[0].study_id, "state": state, "participants": people}
            what = f"pay: {batch[0].act}"
            said = {name: str(more[name]) for name in _TYPED if more.get(name)}
            detail |= {name: value for name, value in more.items() if value and name not in said}
            add_act(unit, AuditEntry(self.context.now(), who, what, "", detail), people, said)


def _by_study(found: Iterable[Payment]) -> dict[str, list[Payment]]:
    by_study: dict[str, list[Payment]] = defaultdict(list)
    for paid in found:
        for study in paid.studies:
            by_study[study].append(paid)
    return by_study


def _first_sessions(found: Iterable[Payment]) -> dict[str, Payment]:
    """Return each person's first session; they handed something in for the study by which they came to it."""
    first: dict[str, Payment] = {}
    for paid in found:
        first.setdefault(paid.participant_id, paid)
    return first


def _key(one: PanelAct, about: str) -> str:
    more = f":{about}" if about else ""
    return f"{KEY}:{one.act}:{one.participant_id}:{one.session}{more}"


def _ids(batch: Sequence[PanelAct]) -> list[str]:
    return [one.prolific_pid for one in batch]


def _digest(text: str) -> str:
    return hashlib.sha256(text.strip().encode()).hexdigest()[:12]
