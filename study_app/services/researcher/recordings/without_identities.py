"""Taking out of turns what could tell who a person is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from study_app.dataset.disclosure.patterns import IDENTIFIERS, redacted
from study_app.domain.assistants.recording import RecordedStep
from study_app.domain.records import Participant, Turn

REMOVED = "[removed]"
KINDS = frozenset(IDENTIFIERS) - {"account name", "web address"}
"""Of a message: a decorator looks like an account name, and addresses of documentation are asked about."""
_LONG = 8
"""Characters from which an id of anybody is looked for in everybody's turns."""
_ECHO = 5
"""Characters from which a part of an identifier that a message gave is taken out of replies, too."""
_ID = re.compile(rf"[\w-]{{{_LONG},}}")


class Identities:
    """What the participants are known by, and what their messages say that a pattern finds.

    Args:
        people: every participant of the study.
        turns: those to be cleaned.
    """

    def __init__(self, people: Iterable[Participant], turns: Iterable[Turn]) -> None:
        self._of = {person.id: _known_by(person) for person in people}
        self._ids = {each.casefold() for names in self._of.values() for each in names if _ID.fullmatch(each)}
        self._said: dict[str, set[str]] = defaultdict(set)
        for turn in turns:
            # The assistant can repeat in any later reply what a message said.
            self._said[turn.participant_id] |= _taken_out(turn.message)

    def removed(self, turn: Turn) -> tuple[str, str]:
        """Return message and reply of a turn without them."""
        own = self._of.get(turn.participant_id, frozenset())
        message = self._without(redacted(turn.message, kinds=KINDS), own)
        return message, self._without(turn.reply, own | self._said[turn.participant_id])

    def step_without(self, turn: Turn, step: RecordedStep) -> RecordedStep | None:
        """Return a step without them; None where they stand in its call, for a call is made whole or not at all."""
        known = self._of.get(turn.participant_id, frozenset()) | self._said[turn.participant_id]
        if any(self._without(redacted(text, kinds=KINDS), known) != text for text in step.input.values()):
            return None
        return step.model_copy(update={"text": self._without(step.text, known)})

    def _without(self, text: str, own: Iterable[str]) -> str:
        # The longest first, so that none is left as a part of another.
        for name in sorted(own, key=len, reverse=True):
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", REMOVED, text, flags=re.IGNORECASE)
        # Anybody's: people name each other's ids, too. Short ones are left, for they may be ordinary words.
        return _ID.sub(lambda found: REMOVED if found.group().casefold() in self._ids else found.group(), text)


def _known_by(person: Participant) -> frozenset[str]:
    names = (
        person.id,
        person.label,
        person.link,
        person.prolific_pid,
        person.prolific_study,
        person.prolific_session,
    )
    return frozenset(name for name in names if name and name.strip())


def _taken_out(message: str) -> set[str]:
    """Return the parts of a message that the patterns take out."""
    gone = set(message.split()) - set(redacted(message, kinds=KINDS).split())
    parts = (part.strip(".,;:!?()[]{}<>\"'`") for part in gone)
    return {part for part in parts if len(part) >= _ECHO}
