"""What an assistant has used, what that cost, and whether it may answer once more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from study_app.domain.assistants.treatments import (
    AssistantLimits,
    AssistantSpec,
    Price,
    ReplyEnd,
    ReplySoFar,
    StudyLimits,
)

SMALLEST_REPLY = 64
"""Tokens below which a reply is not begun: what is left of the budget would cut it off in its first sentence."""
CACHE_WRITTEN, CACHE_READ = "cache_written_tokens", "cache_read_tokens"
"""Among a turn's parameters: input tokens that the provider kept for the next step, and that it had kept."""
ESTIMATED_INPUT, ESTIMATED_OUTPUT = "estimated_input_tokens", "estimated_output_tokens"
"""Among a turn's parameters: how many of its tokens no provider counted, for the reply was cut before."""
WRITTEN_EXTRA, READ_SAVES = 0.25, 0.9
"""What Claude's provider bills for a kept token more, and for one read again less, as shares of its price."""
CHARACTERS_PER_TOKEN = 3.0
"""Of English and Python text, rounded down so that an estimate rather overstates what was used."""


@dataclass(frozen=True)
class Usage:
    """What one participant, or all of a study, have used so far."""

    turns: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    minutes: float = 0.0
    """Minutes that replies were in progress, summed."""
    cost_usd: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.turns + other.turns,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.minutes + other.minutes,
            self.cost_usd + other.cost_usd,
        )


@dataclass(frozen=True)
class LeftByLimits:
    """What limits leave for a turn, all steps of an assistant that acts together; None where there is no limit."""

    output_tokens: int | None = None
    usd: float | None = None

    def of(self, other: LeftByLimits) -> LeftByLimits:
        """Return what both leave."""
        tokens = [each for each in (self.output_tokens, other.output_tokens) if each is not None]
        usd = [each for each in (self.usd, other.usd) if each is not None]
        return LeftByLimits(min(tokens, default=None), min(usd, default=None))

    def reply_after(self, used: Usage, price: Price | None, longest: int) -> int:
        """Return the longest reply, in tokens, that is left after this usage; 0 where no further reply should begin.

        Args:
            used: by the turn so far.
            price: of the treatment.
            longest: reply of the treatment.
        """
        room = longest
        if self.output_tokens is not None:
            room = min(room, self.output_tokens - used.output_tokens)
        if self.usd is not None and price is not None:
            left = self.usd - used.cost_usd
            bought = int(left / price.output_usd * 1_000_000) if price.output_usd else longest
            room = min(room, bought) if left > 0 else 0
        return 0 if room < min(SMALLEST_REPLY, longest) else room


@dataclass(frozen=True)
class Allowance:
    """Whether the assistant may answer, and at what length."""

    ok: bool
    reason: str = ""
    """`not_open_yet`, `turns`, `output_tokens`, `minutes`, `cost`, `study_output_tokens`, `study_cost`; empty if ok."""
    message_key: str = ""
    """Key of the participant's message in the text catalogue: `assistant.limit.<reason>`."""
    max_output_tokens: int = 0
    """Longest reply that stays within every limit on output."""
    left: LeftByLimits = field(default_factory=LeftByLimits)
    """For all steps of an assistant that acts."""
    wait_minutes: float = 0.0
    """For `not_open_yet`: minutes until the assistant opens."""


def turn_usage(
    spec: AssistantSpec,
    *,
    input_tokens: int,
    output_tokens: int,
    seconds: float,
    parameters: Mapping[str, object] | None = None,
) -> Usage:
    """Return the usage of one answered turn, priced as the treatment says."""
    cost = cost_usd(spec.price, billed_input_tokens(input_tokens, parameters or {}), output_tokens)
    return Usage(1, input_tokens, output_tokens, seconds / 60, cost)


def cost_usd(price: Price | None, input_tokens: float, output_tokens: int) -> float:
    """US dollars for so many tokens; 0 where the treatment names no price."""
    if price is None:
        return 0.0
    return (input_tokens * price.input_usd + output_tokens * price.output_usd) / 1_000_000


def billed_input_tokens(input_tokens: int, parameters: Mapping[str, object]) -> float:
    """Return the input tokens of a turn as they are billed: what a provider kept from the step before is cheaper.

    Args:
        input_tokens: all that was read.
        parameters: of the turn; those that were written into the provider's cache, and read from it, are among them.
    """
    written, read = (parameters.get(name) for name in (CACHE_WRITTEN, CACHE_READ))
    # Both counts are part of `input_tokens`, so only the difference from the plain price is added and taken off.
    billed = input_tokens + (written * WRITTEN_EXTRA if isinstance(written, int) else 0.0)
    return max(0.0, billed - (read * READ_SAVES if isinstance(read, int) else 0.0))


def estimated_tokens(text: str) -> int:
    """Tokens of a text whose count the provider never reported, as of a reply that was stopped; rather too many."""
    return estimated_tokens_of(len(text))


def estimated_tokens_of(characters: int) -> int:
    """As `estimated_tokens`, of so many characters."""
    # Rounded up: -(-a // b) is the ceiling of a / b.
    return -int(-characters // CHARACTERS_PER_TOKEN)


def cut_reply(so_far: ReplySoFar, said: ReplyEnd | None = None, *, by_us: bool = False) -> ReplyEnd | None:
    """Return what a reply that was cut has used, None where nothing is known to have been read.

    Args:
        so_far: what came of it.
        said: what the provider's failure says of it.
        by_us: it was stopped or took too long: what was sent counts, also where the provider had not yet begun.
    """
    end = said or so_far.end
    if end is None and by_us and so_far.asked is not None:
        read = estimated_tokens_of(so_far.sent_chars)
        asked = so_far.asked
        end = replace(asked, input_tokens=read, parameters={**asked.parameters, ESTIMATED_INPUT: read})
    if end is None or end.output_tokens is not None or end.input_tokens is None:
        return end
    made = estimated_tokens_of(so_far.came_chars)
    return replace(end, output_tokens=made, parameters={**end.parameters, ESTIMATED_OUTPUT: made})


def total(usages: Iterable[Usage]) -> Usage:
    """Return the sum of usages."""
    return sum(usages, Usage())


def allowance(
    spec: AssistantSpec, used: Usage, study_used: Usage | None = None, *, worked_minutes: float | None = None
) -> Allowance:
    """Return whether the treatment's limits leave room for one more reply.

    A caller that asks for no more than `max_output_tokens` never passes a limit on output tokens. Cost can pass its
    limit by the price of one message's input, and a study's limit by that of the replies in progress at once.

    Args:
        spec: The treatment.
        used: What this participant has used.
        study_used: What all participants with this treatment have used, this one included.
        worked_minutes: Minutes since the first main task was shown; None where the hours of opening do not matter.
    """
    open_for = None if worked_minutes is None else worked_minutes - spec.opens_after_minutes
    if open_for is not None and open_for < 0:
        return replace(_refused("not_open_yet"), wait_minutes=-open_for)
    if open_for is not None and spec.limits.minutes is not None and open_for >= spec.limits.minutes:
        return _refused("minutes")
    if spec.limits.turns is not None and used.turns >= spec.limits.turns:
        return _refused("turns")
    study = study_used or Usage()
    room = _room(spec.limits, used, spec.price) | {
        f"study_{name}": left for name, left in _room(spec.study_limits, study, spec.price).items()
    }
    # The limit that leaves least room is the one that participants read of.
    tight = min(room, key=lambda name: room[name], default=None)
    if tight is not None and room[tight] < min(SMALLEST_REPLY, spec.parameters.max_tokens):
        return _refused(tight)
    left = _left(spec.limits, used).of(_left(spec.study_limits, study))
    return Allowance(True, max_output_tokens=min([spec.parameters.max_tokens, *room.values()]), left=left)


def within_study_cost(allowed: Allowance, price: Price | None, spent_usd: float, limit_usd: float | None) -> Allowance:
    """Return what is left of an allowance under the study's own limit over all participants and treatments.

    Args:
        allowed: By the treatment's limits.
        price: Of the treatment; without one a reply costs nothing.
        spent_usd: By all participants, with every treatment.
        limit_usd: `assistant_policy.study_cost_limit`; None means no limit.
    """
    if limit_usd is None or not allowed.ok:
        return allowed
    left = limit_usd - spent_usd
    room = allowed.max_output_tokens
    if price is not None and price.output_usd > 0:
        room = min(room, int(max(0.0, left) / price.output_usd * 1_000_000))
    if left <= 0 or room < min(SMALLEST_REPLY, allowed.max_output_tokens):
        return _refused("study_cost")
    return replace(allowed, max_output_tokens=room, left=allowed.left.of(LeftByLimits(usd=left)))


def _refused(reason: str) -> Allowance:
    return Allowance(False, reason, f"assistant.limit.{reason}")


def _left(limits: AssistantLimits | StudyLimits, used: Usage) -> LeftByLimits:
    return LeftByLimits(
        None if limits.output_tokens is None else limits.output_tokens - used.output_tokens,
        None if limits.cost_usd is None else limits.cost_usd - used.cost_usd,
    )


def _room(limits: AssistantLimits | StudyLimits, used: Usage, price: Price | None) -> dict[str, int]:
    """Output tokens that each limit still leaves, by the limit's name."""
    room = {}
    if limits.output_tokens is not None:
        room["output_tokens"] = max(0, limits.output_tokens - used.output_tokens)
    if limits.cost_usd is not None and price is not None:
        left = max(0.0, limits.cost_usd - used.cost_usd)
        # Apart from the division below: a limit on cost also binds where output is free and only input is billed.
        if left == 0:
            room["cost"] = 0
        elif price.output_usd > 0:
            room["cost"] = int(left / price.output_usd * 1_000_000)
    return room
