"""Acts that wait for a person, who has looked at the panel and settles them with a reason."""

from __future__ import annotations

from study_app.domain.errors import NotAllowed
from study_app.domain.records import AuditEntry
from study_app.ports import RESTORED, UnitOfWork
from study_app.services.attending.paying import payments
from study_app.services.context import StudyContext
from study_app.services.operation.held_acts import CLAIMED, HELD, KEY
from study_app.services.reasons import add_act
from study_app.services.researcher.panel.due import pending_reminders, use_reminders
from study_app.services.researcher.panel.reminders import REMIND

_BONUSES, _REMINDERS = f"{HELD}:bonus", f"{HELD}:remind"


class OpenActs:
    """Lists and settles acts of which it is not known whether they were done."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def names(self) -> list[str]:
        """Return the names by which open acts are settled: `bonus:PARTICIPANT:SESSION`, `restored:bonus` and so on."""
        with self.context.registry.begin(write=False) as unit:
            return self._names(unit)

    def settle(self, name: str, *, done: bool, reason: str, who: str) -> None:
        """Say how an act went, after a look at the panel.

        Bonuses that are owed, and reminders that are due, count as gone out where all of them are settled as done.

        Raises:
            NotAllowed: there is no such act, the reason is missing, or some bonuses cannot be settled together.
        """
        if not reason.strip():
            raise NotAllowed("this needs a reason: what does the panel show?")
        with self.context.registry.begin() as unit:
            # The answer may come at this moment to the run that waits for it: settled as not done after that, a bonus
            # would be paid twice.
            unit.lock(KEY)
            if unit.meta_value(RESTORED):
                raise NotAllowed("the database was put back and not opened since; start it once (study serve)")
            names = self._names(unit)
            if name not in names and not self._may_have_been_paid(unit, name):
                raise NotAllowed(f"there is no open act '{name}'; open are {', '.join(names) or 'none'}")
            if done and name == _BONUSES:
                self._count_as_paid(unit)
            if done and name == _REMINDERS:
                self._use_up(unit)
            # When all others of this restore are settled, this one stays as it is.
            kept = {"state": "done" if done else "refused", "settled": self._restored_at(unit)}
            unit.set_meta_value(f"{KEY}:{name}", kept)
            entry = AuditEntry(self.context.now(), who, "pay: settle", reason, {"act": name, "done": done})
            add_act(unit, entry, [] if name.startswith(f"{HELD}:") else [name.split(":")[1]])

    def _names(self, unit: UnitOfWork) -> list[str]:
        kept = unit.meta_values(f"{KEY}:")
        asked = {key.removeprefix(f"{KEY}:") for key, value in kept.items() if value["state"] == "asked"}
        return sorted(asked | set(self._owed(unit) if _BONUSES in asked else ()))

    def _owed(self, unit: UnitOfWork) -> dict[str, float | None]:
        """Return bonuses that the database takes for owed, or does not know yet, and that were not settled alone."""
        kept, restored_at = unit.meta_values(f"{KEY}:bonus:"), self._restored_at(unit)
        found = {}
        for paid in payments(self.context, unit):
            name = f"bonus:{paid.participant_id}:{paid.session}"
            before = kept.get(f"{KEY}:{name}", {"state": ""})
            settled = before["state"] in CLAIMED or before.get("settled") == restored_at
            if paid.bonus != 0 and paid.prolific_pid and not settled:
                found[name] = paid.bonus
        return found

    def _restored_at(self, unit: UnitOfWork) -> str | None:
        return (unit.meta_value(f"{KEY}:{_BONUSES}") or {}).get("since")

    def _may_have_been_paid(self, unit: UnitOfWork, name: str) -> bool:
        """Whether this is the bonus of a person who may have completed the session in what the database has lost."""
        act, who, session = (*name.split(":"), "", "")[:3]
        if act != "bonus" or _BONUSES not in self._names(unit):
            return False
        person = unit.participant(who)
        return person is not None and any(each.id == session for each in self.context.study_of(unit, person).sessions)

    def _count_as_paid(self, unit: UnitOfWork) -> None:
        owed = self._owed(unit)
        if unknown := [name for name, amount in owed.items() if amount is None]:
            # The scores may be what was lost, and the bonus paid; or it was never known, and is still to be paid.
            raise NotAllowed(
                f"{len(unknown)} bonus(es) are not known yet, since something is not scored; score it, or settle each "
                f"alone first: {', '.join(unknown[:5])}"
            )
        for name in owed:
            unit.set_meta_value(f"{KEY}:{name}", {"state": "done"})

    def _use_up(self, unit: UnitOfWork) -> None:
        unit.lock(REMIND)
        for each in pending_reminders(self.context, unit):
            use_reminders(unit, each.person.participant.id, each.person.session.id, each.count)
