"""Single-use links for participants: one rule for labels and addresses, one entry in the audit log."""

from __future__ import annotations

import io
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from study_app.dataset.schema.csv_rows import rows_in
from study_app.domain.addresses import parts_of
from study_app.domain.errors import NotAllowed, Problem, ProblemsFound
from study_app.domain.records import AuditEntry, Link
from study_app.ports import UnitOfWork
from study_app.services.context import StudyContext
from study_app.services.identity import LONGEST_FIELD, hashed, keep_test_entry

CREATED = "create-links"
"""The verb in the audit log, for command line and console alike."""
SHORT = "/i/"
"""Where short links begin."""
TEST_CREATED = "create-test-entry"
MOST_LINKS = 100_000
"""Links that can be made at once."""
_MOST_NAMED = 20


@dataclass(frozen=True)
class NewLink:
    """A link that was just made; it can be shown only now."""

    label: str | None
    secret: str
    """Kept nowhere but here; the database has its hash."""

    def address(self, base: str) -> str:
        """Return the whole address for a participant."""
        return f"{base}/enter?link={self.secret}"

    def short(self, base: str) -> str:
        """Return an address that leads there, for paper and QR codes."""
        return f"{base}{SHORT}{self.secret}"


@dataclass(frozen=True)
class TestEntry:
    """A way in for researchers; it can be shown only now."""

    __test__ = False
    secret: str

    def address(self, base: str) -> str:
        """Return the whole address."""
        return f"{base}/enter?test={self.secret}"


class ParticipantLinks:
    """Makes links for the command line, the console and whatever else needs some."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context

    def create(
        self,
        count: int | None = None,
        labels: Sequence[str] | None = None,
        *,
        who: str = "cli",
        via: str = "command line",
        source: str = "labels",
    ) -> list[NewLink]:
        """Make single-use links, all of them or none.

        Args:
            count: how many; by default one for each label.
            labels: one for each link, in order; without them the links have none.
            who: who makes them, for the audit log.
            via: the surface they are made from.
            source: where the labels came from, for messages.

        Raises:
            NotAllowed: the study is not entered by links, or takes no participants any more.
            ProblemsFound: labels that cannot be used, each named.
        """
        number = _number(count, labels, source)
        with self.context.registry.begin() as unit:
            # The door takes this lock, too: a label is not given out while a person comes in by it.
            unit.lock("enrolment")
            self._check_way_in(unit)
            problems = [*_unreadable(labels or (), source), *self._repeated(unit, labels or (), source)]
            if problems:
                raise ProblemsFound(problems)
            now = self.context.now()
            made = [NewLink(labels[n] if labels else None, self.context.fresh_id()) for n in range(number)]
            for link in made:
                # Only the hash: who reads the database, or a copy of it, can come in as no one.
                unit.add_link(Link(hashed(link.secret), link.label, None, now))
            unit.add_audit(AuditEntry(now, who, CREATED, "", {"count": number, "labels": bool(labels), "via": via}))
        return made

    def create_test(self, *, who: str = "cli", via: str = "command line") -> TestEntry:
        """Make a test entry: in any state of the trial it lets in previews, as many as come, and never a real person.

        Args:
            who: who makes it, for the audit log.
            via: the surface it is made from.
        """
        # Twice as long as a link's: it is good for as long as the trial runs, and for any number of visits.
        made = TestEntry(self.context.fresh_id() + self.context.fresh_id())
        now = self.context.now()
        with self.context.registry.begin() as unit:
            keep_test_entry(unit, made.secret, now.isoformat(timespec="milliseconds"))
            unit.add_audit(AuditEntry(now, who, TEST_CREATED, "", {"via": via}))
        return made

    def _check_way_in(self, unit: UnitOfWork) -> None:
        if self.context.study.recruitment.entry == "prolific":
            raise NotAllowed(
                'participants of this study come from Prolific (recruitment.entry = "prolific"), and a link would be '
                "refused when it is opened; give Prolific the address of the study instead, or set "
                'entry = "links"'
            )
        state = self.context.state(unit)
        if state in ("closed", "unsealed"):
            raise NotAllowed(f"the study is {state} and takes no new participants, so a new link could not be used")

    def _repeated(self, unit: UnitOfWork, labels: Sequence[str], source: str) -> list[Problem]:
        """Labels that would name two people; where allocation reads the label, it names a group and may repeat."""
        if self.context.study.label_names_group:
            return []
        remedy = 'use it for one person only, or allocate by it (cluster = "label")'
        twice = [label for label, times in Counter(labels).items() if times > 1]
        taken = sorted(set(labels) & labels_in_use(unit))
        return [
            *(Problem(source, "", f"the label '{label}' is given more than once", remedy) for label in twice),
            *(Problem(source, "", f"the label '{label}' belongs to another link or person", remedy) for label in taken),
        ]


def labels_in(text: str, source: str, *, table: bool = False) -> list[str]:
    """Return the labels that a text holds, one a line; blank lines and spaces around a label do not count.

    Args:
        text: as it was typed, or the whole file.
        source: where it came from, for messages.
        table: whether it is a CSV file, where quotes hold a cell together and a row may have one cell only.

    Raises:
        ProblemsFound: rows that cannot be read, or with more than one cell.
    """
    if not table:
        return [line.strip() for line in text.split("\n") if line.strip()]
    try:
        # By every mark that spreadsheets write: two columns must not be taken for labels that hold a semicolon.
        tables = [list(rows_in(io.StringIO(text, newline=""), mark)) for mark in ",;\t"]
    except ValueError as error:
        raise ProblemsFound([Problem(source, "", str(error), "correct the quotes of that row")]) from None
    wide = {number: len(cells) for rows in tables for number, cells in rows if len(cells) > 1}
    if wide:
        remedy = "leave one column, with one label in each row"
        listed = sorted(wide.items())[:_MOST_NAMED]
        raise ProblemsFound([Problem(source, f"row {row}", f"has {cells} cells", remedy) for row, cells in listed])
    return [cells[0].strip() for _, cells in tables[0] if cells and cells[0].strip()]


def labels_in_use(unit: UnitOfWork) -> set[str]:
    """Labels of links that can still be used and of real participants; previews do not keep a label."""
    people = {person.id: person for person in unit.participants()}
    real = {person.label for person in people.values() if person.kind == "real"}
    waiting = {link.label for link in unit.links() if link.participant_id is None}
    return {label for label in real | waiting if label}


def check_base(text: str, option: str) -> str:
    """Return the address of the participants' site, without a slash at its end.

    Args:
        text: as it was given.
        option: what the person calls it, for the message.

    Raises:
        ProblemsFound: it is not a complete web address.
    """
    try:
        parts = parts_of(text)
        complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        complete = False
    if not complete or parts.query or parts.fragment or any(char.isspace() for char in text.strip()):
        what = f"'{text}' is not a complete web address"
        raise ProblemsFound([Problem(option, "", what, "give it whole, such as https://study.example.org")])
    return text.strip().rstrip("/")


def _number(count: int | None, labels: Sequence[str] | None, source: str) -> int:
    number = count if count is not None else len(labels or ())
    if labels is not None and len(labels) != number:
        what = f"there are {len(labels)} labels for {number} links"
        raise ProblemsFound([Problem(source, "", what, "give one label for each link, or none")])
    if not 1 <= number <= MOST_LINKS:
        remedy = f"make between 1 and {MOST_LINKS} at once"
        raise ProblemsFound([Problem(source if labels is not None else "count", "", f"{number} links", remedy)])
    return number


def _unreadable(labels: Iterable[str], source: str) -> list[Problem]:
    """Labels that look like others but are not, or that the door would not take."""
    found = []
    for row, label in enumerate(labels, start=1):
        if not label.strip() or label != label.strip():
            found.append(Problem(source, f"label {row}", "it is empty or has spaces around it", "correct it"))
        elif len(label) > LONGEST_FIELD:
            found.append(
                Problem(source, f"label {row}", f"it has {len(label)} characters", f"use at most {LONGEST_FIELD}")
            )
        # Two labels that look alike, one of them with a character of no width, would be two people.
        elif any(unicodedata.category(char) in ("Cc", "Cf") for char in label):
            found.append(Problem(source, f"label {row}", f"{label!r} holds an invisible character", "type it again"))
    return found
