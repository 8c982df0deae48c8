"""How long, how large and in how many pieces a reply may come, whatever a provider makes of `max_tokens`."""

from __future__ import annotations

from dataclasses import dataclass

from study_app.domain.errors import AssistantUnavailable

_SECONDS, _SECONDS_PER_TOKEN = 120.0, 0.1
_CHARACTERS_PER_TOKEN = 20
_PIECES_PER_TOKEN = 4
_SPARE = 2000
"""Characters or pieces beyond those of the tokens: names of blocks, and replies of few tokens."""


@dataclass(frozen=True)
class ReplyBounds:
    """What no honest reply of so many tokens reaches."""

    seconds: float
    """From asking to the end, ten tokens a second and two minutes."""
    characters: int
    pieces: int
    """Pieces of text, or events of the provider's stream."""

    @classmethod
    def of(cls, max_tokens: int) -> ReplyBounds:
        """Those of a reply that may have so many tokens."""
        return cls(
            _SECONDS + max_tokens * _SECONDS_PER_TOKEN,
            _SPARE + max_tokens * _CHARACTERS_PER_TOKEN,
            _SPARE + max_tokens * _PIECES_PER_TOKEN,
        )


class ReplyMeter:
    """Counts a reply against its bounds."""

    def __init__(self, bounds: ReplyBounds) -> None:
        self.bounds = bounds
        self._characters = 0
        self._pieces = 0

    def room_for(self, text: str) -> str:
        """Return the text of one more piece, as far as there is room for it.

        Raises:
            AssistantUnavailable: there is no room left (kind `too_long`).
        """
        room = self.bounds.characters - self._characters
        self._pieces += 1
        if self._pieces > self.bounds.pieces or (text and room <= 0):
            raise AssistantUnavailable("too_long", "the assistant's reply did not end where it should have")
        self._characters += len(text)
        return text[:room]
