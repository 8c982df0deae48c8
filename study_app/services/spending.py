"""What assistants and interviewers have used and cost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from study_app.domain.assistants.budget import Usage, billed_input_tokens, cost_usd, estimated_tokens, total, turn_usage
from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.content.content_library import ContentLibrary
from study_app.domain.events import Event, saying
from study_app.domain.events.server import GateJudged, InterviewAsked, InterviewClosed
from study_app.domain.interviews.plan import InterviewPlan
from study_app.domain.records import Kind, Turn
from study_app.ports import UnitOfWork

WATCHING_USD = "model_watch_usd"
"""Where the database keeps what asking the models themselves has cost, so that a study's limit counts it."""


def usage(spec: AssistantSpec, turn: Turn) -> Usage:
    """Return what a turn's reply has used; tokens are estimated where the provider never reported them.

    One that failed before its first word has used nothing: no message of a limit, and nothing that is billed.
    """
    if _failed_at_once(turn):
        return Usage()
    given = turn.input_tokens
    if given is None:
        given = estimated_tokens(spec.instructions + turn.message + turn.code)
    made = turn.output_tokens if turn.output_tokens is not None else estimated_tokens(turn.reply)
    return turn_usage(
        spec, input_tokens=given, output_tokens=made, seconds=turn.total_seconds or 0.0, parameters=turn.parameters
    )


def judge_usage(spec: AssistantSpec, events: Iterable[Event], turns: Collection[str]) -> Usage:
    """Return what judging messages has cost, by a model as the judge of the treatment's gate.

    In dollars alone: limits on tokens and messages are on replies.

    Args:
        spec: the treatment.
        events: of the log, those on verdicts.
        turns: ids of the turns with the treatment.
    """
    verdicts = [said for _, said in saying(events, GateJudged) if said.turn_id in turns]
    paid = (cost_usd(spec.price, said.input_tokens or 0, said.output_tokens or 0) for said in verdicts)
    return Usage(cost_usd=sum(paid))


def _failed_at_once(turn: Turn) -> bool:
    """Return whether a turn brought no word and no count; who declines has read the message, and that is billed."""
    failed = turn.error is not None and turn.error != "refused"
    return failed and not turn.reply and turn.input_tokens is None and turn.output_tokens is None


@dataclass(frozen=True)
class ModelCost:
    """What one treatment, or the interviews by one plan, have used of one model."""

    treatment: str
    """Of interviews: `interview` and the plan's id; of the judge of a treatment's gate: `gate` and the treatment."""
    model: str
    messages: int
    input_tokens: int
    output_tokens: int
    uncounted: int
    """Messages whose tokens the provider did not report: they are not in the cost."""
    usd: float | None
    """None where the treatment, or the plan, names no price."""


def costs_by_model(unit: UnitOfWork, content: ContentLibrary, kind: Kind) -> list[ModelCost]:
    """Return what participants of a kind have used, by treatment and model; interviews at the end, by plan."""
    prices = {spec.id: spec.price for spec in content.specs.values()}
    cached = _billed_otherwise(unit, content, kind)
    found = []
    for treatment, model, messages, read, written, uncounted in unit.tokens_by_model(kind):
        price = prices.get(treatment)
        usd = None if price is None else cost_usd(price, read + cached.get((treatment, model), 0.0), written)
        found.append(ModelCost(treatment, model, messages, read, written, uncounted, usd))
    return [*found, *_of_judges(unit, content, kind), *_of_interviews(unit, content, kind)]


def _of_judges(unit: UnitOfWork, content: ContentLibrary, kind: Kind) -> Iterator[ModelCost]:
    """Yield what models were asked as judges of gates, by treatment and model."""
    gated = _gated(content)
    if not gated:
        return
    prices = {spec.id: spec.price for spec in content.specs.values()}
    treatment_of = unit.treatments_of_turns(kind, gated)
    used: dict[tuple[str, str], list[GateJudged]] = {}
    for _, said in saying(unit.events_of_kind(kind, GateJudged.kind), GateJudged):
        if said.model and said.turn_id in treatment_of:
            used.setdefault((treatment_of[said.turn_id], said.model), []).append(said)
    for (treatment, model), verdicts in sorted(used.items()):
        read, written = (
            sum(getattr(said, side) or 0 for said in verdicts) for side in ("input_tokens", "output_tokens")
        )
        uncounted = sum(None in (said.input_tokens, said.output_tokens) for said in verdicts)
        price = prices.get(treatment)
        usd = None if price is None else cost_usd(price, read, written)
        yield ModelCost(f"gate {treatment}", model, len(verdicts), read, written, uncounted, usd)


def _gated(content: ContentLibrary) -> set[str]:
    return {spec.id for spec in content.specs.values() if spec.gate != "none"}


def _billed_otherwise(unit: UnitOfWork, content: ContentLibrary, kind: Kind) -> dict[tuple[str, str], float]:
    """Treatment and model -> input tokens by which the bill is another; only what acts sends its prompt again."""
    acting = {spec.id for spec in content.specs.values() if spec.acts and spec.price is not None}
    if not acting:
        return {}
    mine = {person.id for person in unit.participants() if person.kind == kind}
    found: dict[tuple[str, str], float] = {}
    for turn in unit.turns():
        if turn.treatment in acting and turn.participant_id in mine and turn.input_tokens is not None:
            key = turn.treatment, turn.model
            billed = billed_input_tokens(turn.input_tokens, turn.parameters)
            found[key] = found.get(key, 0.0) + billed - turn.input_tokens
    return found


def spent_usd(unit: UnitOfWork, content: ContentLibrary, kind: Kind) -> float:
    """US dollars that all participants of a kind have used so far, by the prices of treatments and interviews.

    Of real participants with what the rounds of questions to the models have cost.

    Args:
        unit: the transaction.
        content: names the prices; what a treatment used that the study has no more costs nothing here.
        kind: real, preview or simulated: one kind's use is not paid from another's budget.
    """
    return _spent_usd(unit, content, kind, _recorded_use(unit, kind, content))


def used_by_all(unit: UnitOfWork, content: ContentLibrary, kind: Kind) -> dict[str, Usage]:
    """Return what all participants of a kind have used so far, by treatment."""
    return _by_treatment(_recorded_use(unit, kind, content), content)


@dataclass(frozen=True)
class SharedUse:
    """What all participants of a kind have used, for limits over all; nothing where there is no such limit."""

    by_treatment: Mapping[str, Usage] = field(default_factory=dict)
    spent_usd: float = 0.0


def shared_use(unit: UnitOfWork, kind: Kind, of_version: ContentLibrary, whole: ContentLibrary | None) -> SharedUse:
    """Return the use by treatment and what all of it cost, from one reading: it is made with every question.

    Args:
        unit: the transaction.
        kind: real, preview or simulated.
        of_version: names the treatments of the participant's version of the study, and their prices.
        whole: names the prices by which the whole study is paid; None where its cost has no limit, and is not asked.
    """
    if whole is None:
        return SharedUse(used_by_all(unit, of_version, kind))
    recorded = _recorded_use(unit, kind, of_version, whole)
    return SharedUse(_by_treatment(recorded, of_version), _spent_usd(unit, whole, kind, recorded))


@dataclass(frozen=True)
class _RecordedUse:
    """What the database says of the use of one kind of participants, before any price."""

    sums: Sequence[tuple[str, bool, Usage]]
    """Treatment, whether a recording answered, and what its turns used together."""
    apart: Sequence[Turn]
    """Those that are not in the sums."""
    verdicts: Sequence[Event] = ()
    """Of judges of gates."""
    judged: Mapping[str, str] = field(default_factory=dict)
    """Turn -> treatment, of those with a gate."""

    def priced(self, content: ContentLibrary) -> Iterator[tuple[str, bool, Usage]]:
        """Yield treatment, whether a recording answered, and what was used, as the treatment prices it."""
        specs: dict[str, AssistantSpec] = {spec.id: spec for spec in content.specs.values()}
        for treatment, recorded, sums in self.sums:
            if treatment in specs:
                cost = cost_usd(specs[treatment].price, sums.input_tokens, sums.output_tokens)
                yield treatment, recorded, replace(sums, cost_usd=cost)
        for turn in self.apart:
            if turn.treatment in specs:
                yield turn.treatment, turn.assistant == "recorded", usage(specs[turn.treatment], turn)
        for treatment, spec in specs.items() if self.verdicts else ():
            mine = {turn for turn, its in self.judged.items() if its == treatment}
            if mine and spec.gate != "none":
                yield treatment, False, judge_usage(spec, self.verdicts, mine)


def _recorded_use(unit: UnitOfWork, kind: Kind, *contents: ContentLibrary) -> _RecordedUse:
    """Read what participants of a kind have used of the treatments of these contents.

    The database sums what it can, for a limit over all participants is looked at with every question: turns are read
    one by one where tokens must be estimated, and of an assistant that acts, whose bill depends on more than tokens. Of
    turns whose gate's judge is paid as well, the ids are enough: its tokens are in the verdicts.
    """
    gated = {treatment for content in contents for treatment in _gated(content)}
    apart = {spec.id for content in contents for spec in content.specs.values() if spec.acts}
    sums = [row for row in unit.reported_use(kind) if row[0] not in apart]
    verdicts = unit.events_of_kind(kind, GateJudged.kind) if gated else []
    judged = unit.treatments_of_turns(kind, gated) if verdicts else {}
    return _RecordedUse(sums, unit.turns_apart(kind, apart), verdicts, judged)


def _by_treatment(recorded: _RecordedUse, content: ContentLibrary) -> dict[str, Usage]:
    found: dict[str, Usage] = {}
    for treatment, _, used in recorded.priced(content):
        found[treatment] = found.get(treatment, Usage()) + used
    return found


def _spent_usd(unit: UnitOfWork, content: ContentLibrary, kind: Kind, recorded: _RecordedUse) -> float:
    # What a recording repeats was paid for where it was recorded.
    asked = total(used for _, repeated, used in recorded.priced(content) if not repeated).cost_usd
    asked += float(unit.meta_value(WATCHING_USD) or 0.0) if kind == "real" else 0.0
    return asked + sum(one.usd or 0.0 for one in _of_interviews(unit, content, kind))


def _of_interviews(unit: UnitOfWork, content: ContentLibrary, kind: Kind) -> Iterator[ModelCost]:
    """Yield what models were asked in interviews, by plan and model; steps that no model was asked for are none."""
    plans: dict[str, InterviewPlan] = {plan.id: plan for plan in map(content.plan, content.plan_files)}
    if not plans:
        return
    plan_of: dict[str, str] = {}
    used: dict[tuple[str, str], list[tuple[int | None, int | None]]] = {}
    for name in (InterviewAsked.kind, InterviewClosed.kind):
        for event in unit.events_of_kind(kind, name):
            said = event.details
            if isinstance(said, InterviewAsked):
                plan_of[said.interview_id] = said.plan
            if isinstance(said, (InterviewAsked, InterviewClosed)) and said.model is not None:
                key = (plan_of.get(said.interview_id, ""), said.model)
                used.setdefault(key, []).append((said.input_tokens, said.output_tokens))
    for (plan, model), counts in sorted(used.items()):
        read, written = (sum(each or 0 for each in side) for side in zip(*counts, strict=True))
        uncounted = sum(None in each for each in counts)
        price = plans[plan].price if plan in plans else None
        usd = None if price is None else cost_usd(price, read, written)
        yield ModelCost(f"interview {plan}", model, len(counts), read, written, uncounted, usd)
