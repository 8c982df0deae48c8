"""Answering a quiz with partial knowledge, so that the points come as near to a target as the items allow."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from random import Random

from study_app.domain.quiz.items import Item
from study_app.domain.quiz.keys import AnyKey, ChoiceKey, CodeKey, Criterion, Keys, TextKey
from study_app.domain.quiz.scoring import Response, correct_response, score, wrong_response

BLANK = 0.15
"""Share of the worthless answers that are left out."""
_PARTIAL = 6
"""At most so many partly right answers of an item are considered."""
_CLOSE = 1e-9
_KNOWLEDGE_NOISE = 0.6


@dataclass(frozen=True)
class Level:
    """One way to answer an item, and what it earns."""

    points: float
    responses: tuple[Response, ...]


Move = tuple[float, tuple[tuple[str, int], ...]]
"""What a change of answers adds to the points, and the levels by item that it leads to."""


@dataclass(frozen=True)
class Sheet:
    """A filled-in quiz."""

    responses: dict[str, Response]
    points: float
    """By key, and of what people rate the points of the criteria that the answers meet."""
    shares: dict[str, float]
    """Item -> share of its points that the response is worth; items without points left out."""


def levels(item: Item, key: AnyKey) -> tuple[Level, ...]:
    """Ways to answer that differ in points, worthless ones first."""
    by_points: dict[float, list[Response]] = {}
    for points, response in _worth(item, key):
        by_points.setdefault(round(points, 9), []).append(response)
    by_points.setdefault(0.0, [None])
    return tuple(Level(points, tuple(by_points[points])) for points in sorted(by_points))


Levels = dict[str, tuple[Level, ...]]
"""Item -> its ways to answer."""


def all_levels(items: tuple[Item, ...], keys: Keys) -> Levels:
    """Return the ways to answer each item of a quiz; they are the same for everybody."""
    return {item.id: levels(item, keys[item.id]) for item in items}


def fill_in(items: tuple[Item, ...], keys: Keys, target: float, seed: str, known: Levels | None = None) -> Sheet:
    """Answers that earn about `target` points; equal arguments give equal answers.

    What a person knows is drawn item by item: easy items first, with noise. Then single answers, or two at once, change
    until the sum is as near as that brings it.

    Args:
        items: of the quiz.
        keys: of its bank.
        target: points.
        seed: of the person and the quiz.
        known: `all_levels` of the quiz, where many people fill it in.
    """
    rng = Random(seed)
    known = all_levels(items, keys) if known is None else known
    scored = [item for item in items if item.type != "attention_check"]
    order = sorted(scored, key=lambda item: _difficulty(item) + rng.gauss(0, _KNOWLEDGE_NOISE))
    chosen = _adjusted(known, _first_guess(known, order, target), target)
    responses: dict[str, Response] = {}
    for item in items:
        if item.type == "attention_check":
            responses[item.id] = correct_response(item, keys[item.id])
            continue
        level = known[item.id][chosen[item.id]]
        blank = level.points == 0 and rng.random() < BLANK
        responses[item.id] = None if blank else rng.choice(level.responses)
    earned = {name: known[name][at].points for name, at in chosen.items()}
    shares = {item.id: earned[item.id] / item.points for item in scored if item.points}
    return Sheet(responses, sum(earned.values()), shares)


def _first_guess(known: dict[str, tuple[Level, ...]], order: list[Item], target: float) -> dict[str, int]:
    chosen, left = {}, target
    for item in order:
        options = known[item.id]
        at = max(number for number, level in enumerate(options) if level.points <= left + _CLOSE or number == 0)
        chosen[item.id] = at
        left -= options[at].points
    return chosen


def _adjusted(known: dict[str, tuple[Level, ...]], chosen: dict[str, int], target: float) -> dict[str, int]:
    """Return one answer changes, or two at once where one does not help, until the sum is as near as that brings it."""
    while True:
        off = target - sum(known[name][at].points for name, at in chosen.items())
        singles: list[Move] = [
            (level.points - known[name][at].points, ((name, number),))
            for name, at in chosen.items()
            for number, level in enumerate(known[name])
        ]
        best: Move = min(singles, key=lambda move: abs(off - move[0]), default=(0.0, ()))
        # Pairs only where no single change helps, for there are very many. Each turn comes closer to the target, so
        # that the loop ends.
        if abs(off - best[0]) >= abs(off) - _CLOSE:
            pairs: list[Move] = [
                (a[0] + b[0], a[1] + b[1]) for a, b in combinations(singles, 2) if a[1][0][0] != b[1][0][0]
            ]
            best = min(pairs, key=lambda move: abs(off - move[0]), default=(0.0, ()))
        if abs(off - best[0]) >= abs(off) - _CLOSE:
            return chosen
        chosen = chosen | dict(best[1])


def _worth(item: Item, key: AnyKey) -> Iterator[tuple[float, Response]]:
    """Yield ways to answer with what each is worth, to graders who give a criterion its points where it is met."""
    if isinstance(key, ChoiceKey) or not key.rubric:
        yield from ((_points(item, key, response) or 0.0, response) for response in _candidates(item, key))
        return
    yield 0.0, wrong_response(item, key)
    for size in range(1, len(key.rubric) + 1):
        for met in islice(combinations(key.rubric, size), _PARTIAL):
            yield sum(criterion.points for criterion in met), _written(item, key, met)


def _written(item: Item, key: AnyKey, met: Sequence[Criterion]) -> str:
    """Return an answer that meets these criteria: it says so in their words, in a program as comments.

    So graders of a rehearsal can tell what to give, whatever is taught and in whichever language.
    """
    if not isinstance(key, CodeKey):
        return "; ".join(" ".join(criterion.text.split()) for criterion in met)
    comments = [f"# {line}" for criterion in met for line in criterion.text.splitlines()]
    return "\n".join([*comments, key.solution or item.starter])


def _candidates(item: Item, key: AnyKey) -> list[Response]:
    found: list[Response] = [wrong_response(item, key), correct_response(item, key)]
    if isinstance(key, ChoiceKey):
        options = [option.id for option in item.options]
        if item.kind == "single_choice":
            return list(options)
        right = [option for option in options if option in key.correct]
        wrong = [option for option in options if option not in key.correct]
        known = [list(picks) for size in range(1, len(right)) for picks in combinations(right, size)][:_PARTIAL]
        one_wrong = [[*picks, wrong[number % len(wrong)]] for number, picks in enumerate([*known, right])]
        return [*found, *known, *one_wrong, *([pick] for pick in wrong[1:_PARTIAL])]
    if isinstance(key, TextKey):
        return found + [accept.sample() for accept in key.accept][:_PARTIAL]
    return found


def _points(item: Item, key: AnyKey, response: Response) -> float | None:
    """By the key alone; of code only the reference answer and the starter are known without running them."""
    if isinstance(key, CodeKey):
        return item.points if key.checks and response == key.solution else 0.0
    return score(item, key, response).points


def _difficulty(item: Item) -> float:
    """Return how hard an item is: conceptual ones are easier, code is harder, the rest is drawn from its name."""
    kind = {"conceptual": -0.3, "code_reading": 0.0, "debugging": 0.3, "code_writing": 0.5}.get(item.type, 0.0)
    digest = hashlib.sha256(item.id.encode()).digest()
    return kind + (digest[0] / 255 - 0.5)
