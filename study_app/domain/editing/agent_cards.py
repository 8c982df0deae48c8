"""What the cards of an agent showed: text that can be copied or typed off the page, whatever became of the step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from study_app.domain.editing.clipboard import shown_texts, squeeze
from study_app.domain.editing.retyped import Reply
from study_app.domain.events.server import AgentProposed


@dataclass(frozen=True)
class ShownProposal:
    """A step of an agent, as its card showed it."""

    turn_id: str
    texts: Sequence[str]
    """Squeezed."""
    new: str
    """The text that it wants to put in; empty where it wants something else."""
    old: str
    tried: int
    """Pastes and drops before it."""

    @property
    def added(self) -> str:
        """The lines that only the new text has: the others were there, and may be the participant's."""
        before = {squeeze(line) for line in self.old.split("\n")}
        return "\n".join(line for line in self.new.split("\n") if squeeze(line) not in before)


@dataclass
class AgentCards:
    """The proposals so far; feed it the steps in the order of storing."""

    proposals: dict[str, ShownProposal] = field(default_factory=dict)
    """By step."""

    def see(self, said: AgentProposed, tried: int) -> None:
        """Take the next step, proposed after so many pastes and drops."""
        new, old = (str(said.input.get(name, "")) if said.tool == "edit" else "" for name in ("new", "old"))
        texts = [squeeze(text) for text in shown_texts(said)]
        self.proposals[said.action_id] = ShownProposal(said.turn_id, texts, new, old, tried)

    def turn_that_showed(self, text: str) -> str | None:
        """Return the latest turn with a card that holds a text, squeezed; None where none does."""
        proposals = reversed(self.proposals.values())
        return next((each.turn_id for each in proposals if any(text in shown for shown in each.texts)), None)

    def beside(self, replies: Sequence[Reply]) -> list[Reply]:
        """Return replies with what was proposed in their turns: both can be typed off the page."""
        proposed: dict[str, list[str]] = {}
        for each in self.proposals.values():
            proposed.setdefault(each.turn_id, []).append(each.added)
        return [Reply(one.turn_id, "\n".join([one.text, *proposed.get(one.turn_id, ())])) for one in replies]
