"""Reminders of later sessions: each goes out once, to people who have not begun and have not asked for none.

A reminder is written down as used before it is handed to the mail server: a crash in between costs one reminder and
never sends one twice. What is pending, in a run and in its preview, goes by one moment and by the opening that the
console shows: while arms are hidden, a reminder that waited for time given back by an outage would tell who got it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from study_app.domain.errors import InfrastructureError, NotAllowed, Problem, ProblemsFound
from study_app.domain.records import AuditEntry
from study_app.domain.trial_state import hides_arms
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.identity import hashed, of_reminder
from study_app.services.operation.held_acts import require_known
from study_app.services.researcher.judging.unblinding import REMINDERS, note_way_in
from study_app.services.researcher.panel.due import (
    DuePerson,
    Pending,
    due_person,
    levelled,
    opt_out,
    passed_reminders,
    pending_reminders,
    reminders_of,
    use_reminders,
)

REMIND = "remind"
"""The verb in the audit log."""
LINK_DAYS = 30.0
"""For which a link leads back in where the session has no window."""
Outcome = Literal["sent", "refused", "deferred", "unknown"]
"""What came of handing a mail to the server: `deferred` where it may take it later, `unknown` where the connection
broke after it had been handed over."""


@dataclass(frozen=True)
class Reminder:
    """One reminder, as it goes to a person or into the file for a mail merge."""

    participant_id: str
    address: str
    """Empty where none is known."""
    label: str
    prolific_pid: str
    language: str
    session: str
    number: int
    opens_at: datetime
    closes_at: datetime | None
    link: str
    """Leads this person, and no other, back in."""
    opt_out: str


Deliver = Callable[[Reminder], Outcome]


@dataclass(frozen=True)
class Sent:
    """What became of one reminder."""

    reminder: Reminder
    outcome: Outcome | Literal["listed", "no_address"]

    @property
    def leads_in(self) -> bool:
        """Whether the sender gets the link to pass on: where the mail has not surely gone to the person it is for."""
        return self.outcome != "sent"


class Reminders:
    """Finds and sends reminders.

    Args:
        context: the study.
        site: public address of the participants' app.
        addresses: label, Prolific id or participant id -> mail address; a label that is one needs no entry.
    """

    def __init__(self, context: StudyContext, site: str, addresses: Mapping[str, str]) -> None:
        self.context = context
        self.site = site
        self.addresses = addresses

    def pending(self) -> list[Pending]:
        """Return who is to be reminded now; one mail for all days that have passed."""
        with self.context.registry.begin(write=False) as unit:
            return pending_reminders(self.context, unit)

    def send(self, deliver: Deliver | None, who: str = "cli") -> list[Sent]:
        """Use up every pending reminder, and hand it to the mail server where there is one.

        Args:
            deliver: sends one mail; None only lists them, for a mail merge.
            who: who sends them, for the audit log.

        Raises:
            NotAllowed: the database was put back, and it is open which reminders went out already.
        """
        with self.context.registry.begin(write=False) as unit:
            require_known(unit, "remind")
        sent: list[Sent] = []
        try:
            for pending in self.pending():
                reminder = self._claimed(pending)
                if reminder is None:
                    continue
                try:
                    outcome = self._outcome(reminder, deliver)
                except InfrastructureError:
                    self._release(pending)
                    raise
                if outcome in ("refused", "deferred", "no_address") and deliver is not None:
                    self._release(pending)
                sent.append(Sent(reminder, outcome))
        finally:
            # Also where the mail server failed half-way: what went out until then did go out.
            self._note(sent, who)
        return sent

    def _note(self, sent: list[Sent], who: str) -> None:
        """Say in the audit log how many reminders came to what."""
        if not sent:
            return
        counts = dict(Counter(str(each.outcome) for each in sent))
        with self.context.registry.begin() as unit:
            unit.add_audit(AuditEntry(self.context.now(), who, REMIND, "", counts))
            if any(each.leads_in for each in sent):
                note_way_in(self.context, unit, who, "real", REMINDERS)

    def preview(self) -> list[Reminder]:
        """Return what `send` would send, without links that lead in."""
        made = "(made when it is sent)"
        return [self._made(pending.person, made, made) for pending in self.pending()]

    def _outcome(self, reminder: Reminder, deliver: Deliver | None) -> Outcome | Literal["listed", "no_address"]:
        if deliver is None:
            return "listed"
        return deliver(reminder) if reminder.address else "no_address"

    def _claimed(self, pending: Pending) -> Reminder | None:
        """Use the reminder up; None where another process was faster, or the person has come or opted out meanwhile."""
        who, session, now = pending.person.participant.id, pending.person.session.id, self.context.now()
        with self.context.registry.begin() as unit:
            # Two schedulers may run at once; the second one waits here and then finds the reminder used.
            unit.lock(REMIND)
            found = due_person(self.context, unit, unit.known_participant(who), now)
            if found is None or found.reminded >= pending.count:
                return None
            shown = found
            if hides_arms(self.context.state(unit), "real"):
                shown = levelled(self.context, unit, found, now)
            if not passed_reminders(shown, now):
                return None
            use_reminders(unit, who, session, pending.count)
            # Two secrets: a mail that is passed on with its way out must not let its reader in as this person.
            back, out = (self.context.fresh_id() + self.context.fresh_id() for _ in range(2))
            until = found.closes_at or now + timedelta(days=LINK_DAYS)
            unit.add_token(who, of_reminder(back), until)
            unit.set_meta(_opt_out_key(out), who)
        return self._made(pending.person, f"{self.site}/enter?move={back}", f"{self.site}/no-reminders?token={out}")

    def _release(self, pending: Pending) -> None:
        person = pending.person
        with self.context.registry.begin() as unit:
            # Without the lock another scheduler could use the next reminder up between this look and this writing, and
            # giving back the earlier count would send it a second time.
            unit.lock(REMIND)
            # Only where no one used a later one meanwhile, which would go out a second time.
            if reminders_of(unit, person.participant.id, person.session.id) == pending.count:
                use_reminders(unit, person.participant.id, person.session.id, person.reminded)

    def _made(self, person: DuePerson, link: str, out: str) -> Reminder:
        who = person.participant
        names = (who.id, who.label or "", who.prolific_pid or "")
        known = next((self.addresses[name] for name in names if name in self.addresses), "")
        label = who.label or ""
        return Reminder(
            who.id,
            known or (label if is_address(label) else ""),
            label,
            who.prolific_pid or "",
            who.language,
            person.session.id,
            person.number,
            person.opens_at,
            person.closes_at,
            link,
            out,
        )


def is_address(text: str) -> bool:
    """Return whether a text is one mail address; anything that a header could be broken with is none."""
    name, at, domain = text.partition("@")
    plain = text.isprintable() and not any(char.isspace() or char in ',;<>"()' for char in text)
    return bool(name and at and "." in domain and "@" not in domain and plain)


def addresses_in(rows: list[tuple[int, list[str]]], source: str) -> dict[str, str]:
    """Return name -> address from a table of two columns, label or id and address.

    Raises:
        ProblemsFound: rows that cannot be used, each named.
    """
    found: dict[str, str] = {}
    problems = []
    for number, cells in rows:
        texts = [cell.strip() for cell in cells]
        if not any(texts):
            continue
        if len(texts) != 2 or not all(texts):
            remedy = "write a label or id and an address"
            problems.append(Problem(source, f"row {number}", f"has {len(texts)} cells", remedy))
        elif is_address(texts[1]):
            found[texts[0]] = texts[1]
        elif number > 1:  # The first row may hold the names of the columns.
            what = f"'{texts[1]}' is not a valid mail address"
            problems.append(Problem(source, f"row {number}", what, "correct it"))
    if problems:
        raise ProblemsFound(problems)
    return found


def stop_reminders(context: StudyContext, token: str) -> None:
    """Stop reminders to the participant whose address this was.

    Raises:
        NotAllowed: no reminder had this address.
    """
    with context.registry.begin() as unit:
        who = _owner(unit, token)
        opt_out(unit, who, context.now())
        unit.add_audit(AuditEntry(context.now(), "(participant)", "opt out of reminders", "", {"participant_id": who}))


def _owner(unit: UnitOfWork, token: str) -> str:
    who = unit.meta(_opt_out_key(token))
    if who is None:
        raise NotAllowed("this address is not valid; open it as it stands in the mail")
    return who


def _opt_out_key(token: str) -> str:
    return f"opt_out:{hashed(token)}"
