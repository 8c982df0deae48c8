"""What assistants have used and cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from study_app.domain.assistants.budget import Usage, cost_usd, estimated_tokens, total, turn_usage
from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.records import Kind, Turn
from study_app.ports import UnitOfWork


def usage(spec: AssistantSpec, turn: Turn) -> Usage:
    """Return what a turn has used; tokens are estimated where the provider never reported them."""
    given = turn.input_tokens
    if given is None:
        given = estimated_tokens(spec.instructions + turn.message + turn.code)
    made = turn.output_tokens if turn.output_tokens is not None else estimated_tokens(turn.reply)
    return turn_usage(spec, input_tokens=given, output_tokens=made, seconds=turn.total_seconds or 0.0)


@dataclass(frozen=True)
class ModelCost:
    """What one treatment has used of one model."""

    treatment: str
    model: str
    messages: int
    input_tokens: int
    output_tokens: int
    uncounted: int
    """Messages whose tokens the provider did not report: they are not in the cost."""
    usd: float | None
    """None where the treatment names no price."""


def costs_by_model(unit: UnitOfWork, specs: Mapping[str, AssistantSpec], kind: Kind) -> list[ModelCost]:
    """Return what participants of a kind have used, by treatment and model."""
    prices = {spec.id: spec.price for spec in specs.values()}
    found = []
    for treatment, model, messages, read, written, uncounted in unit.tokens_by_model(kind):
        price = prices.get(treatment)
        usd = None if price is None else cost_usd(price, read, written)
        found.append(ModelCost(treatment, model, messages, read, written, uncounted, usd))
    return found


def spent_usd(unit: UnitOfWork, specs: Mapping[str, AssistantSpec], kind: str) -> float:
    """US dollars that all participants of a kind have used so far, by the treatments' prices.

    Args:
        unit: the transaction.
        specs: the study's treatments; a turn under one that the study has no more costs nothing here.
        kind: real, preview or simulated: one kind's use is not paid from another's budget.
    """
    mine = {person.id for person in unit.participants() if person.kind == kind}
    by_id = {spec.id: spec for spec in specs.values()}
    turns = [turn for turn in unit.turns() if turn.participant_id in mine and turn.treatment in by_id]
    return total(usage(by_id[turn.treatment], turn) for turn in turns).cost_usd
