"""From a response and a key to points. Pure: programs run through a callable that the caller brings.

Rules (version `item_keys.RULES_VERSION`), for an item worth P points:

- unanswered (None, blank text, no pick): 0 points, whatever the kind.
- single choice: P for the right option, else 0.
- multiple selection with C right options: max(0, P x right picks / C - penalty x wrong picks).
- short text: the most that any accepted answer it matches is worth, else 0 with `needs_review`.
- code: the sum over checks of the check's points where the program prints exactly what is expected.
- a rubric: pending until a person rates it.
- an attention check scores 0 of 0 points; `correct` says whether it was passed.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from study_app.domain.errors import InfrastructureError
from study_app.domain.quiz.items import Item
from study_app.domain.quiz.keys import (
    ANSWER,
    CODE,
    PROMPT,
    AnyKey,
    ChoiceKey,
    CodeKey,
    Criterion,
    OutputCheck,
    TextKey,
    is_choice,
)
from study_app.domain.quiz.short_text import normalise, same_output

Response = str | list[str] | tuple[str, ...] | None
"""As JSON: an option id, a list of option ids, a text; null where unanswered."""
ScoredBy = Literal["key", "human", "pending"]
RunProgram = Callable[[str], str]
"""Runs a program and returns its standard output; raises InfrastructureError where it cannot."""
MAX_RESPONSE_CHARS = 20_000


@dataclass(frozen=True)
class Score:
    """What one response earned."""

    points: float | None
    """None while pending: not yet scored is not 0."""
    max_points: float
    scored_by: ScoredBy
    correct: bool | None
    """Everything right; for an attention check: passed. None while pending."""
    detail: str
    """For graders, never for the participant: it gives the key away."""
    needs_review: bool = False
    """A text that no accepted answer matched: scored 0, worth a look by a person."""


@dataclass(frozen=True)
class QuizTotal:
    """The points of an opened quiz."""

    points: float | None
    """None while an item is pending."""
    max_points: float
    by_type: Mapping[str, float | None]
    """Item type -> points; attention checks left out."""

    def columns(self) -> dict[str, float | None]:
        """Return the quiz's columns of the participants table, without their prefix."""
        share = self.points / self.max_points if self.points is not None and self.max_points else None
        by_type = {f"{kind}_points": points for kind, points in self.by_type.items()}
        return {"points": self.points, "max": self.max_points, "score": share} | by_type


def score(item: Item, key: AnyKey, response: Response, run: RunProgram | None = None) -> Score:
    """Score one response to an item of an opened quiz.

    Args:
        item: the question.
        key: its key.
        response: None is unanswered.
        run: runs a program for a code item; without it, or when it raises InfrastructureError, the score is pending.

    Returns:
        points within 0 and the item's points, or None while pending. An unknown option counts as a wrong pick.
    """
    if is_unanswered(response):
        return _scored(item, 0.0, "unanswered")
    if isinstance(key, ChoiceKey):
        return _score_choice(item, key, response)
    if isinstance(key, CodeKey) and key.checks:
        return _score_code(item, key, _as_text(response), run)
    if isinstance(key, TextKey) and key.accept:
        return _score_text(item, key, _as_text(response))
    return _pending(item, "waits for a human rating")


def rate(item: Item, key: AnyKey, awarded: Mapping[str, float]) -> Score:
    """Return the score that a person's rating by the rubric gives; a criterion left out earns nothing.

    Raises:
        ValueError: the item has no rubric, or a rating is not of the rubric or outside its points.
    """
    rubric = {} if isinstance(key, ChoiceKey) else {criterion.id: criterion for criterion in key.rubric}
    if not rubric:
        raise ValueError(f"item '{item.id}' has no rubric")
    for name, points in awarded.items():
        if name not in rubric:
            raise ValueError(f"'{name}' is not a criterion of item '{item.id}'; use one of {', '.join(rubric)}")
        if not 0 <= points <= rubric[name].points:
            raise ValueError(f"'{name}' takes 0 to {rubric[name].points:g} points, not {points:g}")
    points = sum(awarded.values())
    detail = "; ".join(_rated(criterion, awarded) for criterion in rubric.values())
    return Score(points, item.points, "human", points >= item.points, detail)


def quiz_total(items: Iterable[Item], points: Mapping[str, float | None]) -> QuizTotal:
    """Add up an opened quiz.

    Args:
        items: of the quiz's form.
        points: item id -> points it earned, None while pending; an item that is missing was not answered and counts 0.
    """
    by_type: dict[str, float | None] = {}
    maximum = 0.0
    for item in items:
        if item.type == "attention_check":
            continue
        # An item without an answer earns 0 in an opened quiz; None is an answer that waits for its rating.
        earned = points.get(item.id, 0.0)
        so_far = by_type.get(item.type, 0.0)
        by_type[item.type] = None if earned is None or so_far is None else so_far + earned
        maximum += item.points
    parts = [earned for earned in by_type.values() if earned is not None]
    return QuizTotal(sum(parts) if len(parts) == len(by_type) else None, maximum, by_type)


def is_unanswered(response: Response) -> bool:
    """Return whether nothing was picked or written."""
    return response is None or not (response.strip() if isinstance(response, str) else response)


def response_problem(item: Item, response: object) -> str | None:
    """Return why a response cannot be an answer to the item (a malformed request), or None where it can."""
    known = {option.id for option in item.options}
    if response is None:
        return None
    if item.kind == "multiple_select":
        if not isinstance(response, list | tuple) or not all(isinstance(pick, str) for pick in response):
            return "a multiple selection is answered by a list of option ids"
        return None if set(response) <= known and len(set(response)) == len(response) else "unknown or repeated option"
    if not isinstance(response, str):
        return "the answer must be a text"
    if is_choice(item):
        return None if response in known else "unknown option"
    return None if len(response) <= MAX_RESPONSE_CHARS else f"the answer is over {MAX_RESPONSE_CHARS} characters"


def fill(program: str, answer: str) -> str:
    """Put an answer into a check's program.

    A mark on a separate line takes the dedented answer as a block, each line indented as far as the mark; a mark
    within a line takes the answer's text. Code fences round the answer are taken off.
    """
    return _substitute(program, {ANSWER: answer})


def verifying_program(item: Item, key: AnyKey) -> str | None:
    """Return the key's `run` program with the texts that participants see put in.

    So the two cannot drift apart.
    """
    if key.run is None:
        return None
    options = {f"{{option.{option.id}}}": _plain(option.text) for option in item.options}
    return _substitute(key.run, {CODE: item.code, PROMPT: item.prompt, **options})


def response_from_output(item: Item, stdout: str) -> Response:
    """Return a verifying program's output as a response: the option that reads so, else option ids, else the text."""
    if not is_choice(item):
        return stdout.strip()
    plain = normalise(stdout)
    named = [option.id for option in item.options if normalise(_plain(option.text)) == plain]
    picks = named or stdout.split()
    return picks if item.kind == "multiple_select" else " ".join(picks)


def correct_response(item: Item, key: AnyKey) -> Response:
    """Return a response that earns all points where the item is scored by key; for simulated participants and tests."""
    if isinstance(key, ChoiceKey):
        return list(key.correct) if item.kind == "multiple_select" else key.correct[0]
    if isinstance(key, CodeKey):
        return key.solution
    full = (accept for accept in key.accept if accept.points is None or accept.points >= item.points)
    return next((accept.sample() for accept in full), "")


def wrong_response(item: Item, key: AnyKey) -> Response:
    """Return a response that earns nothing where the item is scored by key; for simulated participants and tests."""
    if isinstance(key, ChoiceKey):
        wrong = [option.id for option in item.options if option.id not in key.correct]
        return wrong[:1] if item.kind == "multiple_select" else wrong[0]
    return item.starter or "I do not know"


def _score_choice(item: Item, key: ChoiceKey, response: Response) -> Score:
    picks = {response} if isinstance(response, str) else set(response or ())
    right, wrong = len(picks & set(key.correct)), len(picks - set(key.correct))
    if item.kind == "single_choice":
        return (
            _scored(item, item.points, "right option", full=True)
            if (right, wrong) == (1, 0)
            else _scored(item, 0.0, "wrong option")
        )
    # Wrong picks take away what right ones have earned, and nothing beyond that.
    points = max(0.0, item.points * right / len(key.correct) - key.wrong_pick_penalty * wrong)
    detail = f"{right} of {len(key.correct)} right picks, {wrong} wrong"
    return _scored(item, points, detail, full=right == len(key.correct) and not wrong)


def _score_text(item: Item, key: TextKey, answer: str) -> Score:
    worth = [
        (item.points if accept.points is None else accept.points, accept.sample())
        for accept in key.accept
        if accept.matches(answer)
    ]
    if not worth:
        return _scored(item, 0.0, "matches no accepted answer", needs_review=True)
    # The best match counts, wherever it stands among the accepted answers.
    points, sample = max(worth)
    return _scored(item, points, f"matches '{sample}'", full=points >= item.points)


def _score_code(item: Item, key: CodeKey, answer: str, run: RunProgram | None) -> Score:
    if run is None:
        return _pending(item, "waits for its checks to run")
    try:
        passed = [check for check in key.checks if _passes(check, answer, run)]
    except InfrastructureError as error:
        # The machine failed and not the answer, which must not lose points for it.
        return _pending(item, f"its checks could not run: {error}")
    failed = [check.name for check in key.checks if check not in passed]
    detail = f"{len(passed)} of {len(key.checks)} checks passed" + (f"; failed: {', '.join(failed)}" if failed else "")
    return _scored(item, sum(check.points for check in passed), detail, full=not failed)


def _passes(check: OutputCheck, answer: str, run: RunProgram) -> bool:
    return same_output(check.expected, run(fill(check.program, answer)), unordered=check.unordered)


def _scored(item: Item, points: float, detail: str, *, full: bool = False, needs_review: bool = False) -> Score:
    return Score(min(points, item.points), item.points, "key", full, detail, needs_review)


def _pending(item: Item, detail: str) -> Score:
    return Score(None, item.points, "pending", None, detail)


def _rated(criterion: Criterion, awarded: Mapping[str, float]) -> str:
    return f"{criterion.id} {awarded.get(criterion.id, 0):g} of {criterion.points:g}"


def _substitute(program: str, texts: Mapping[str, str]) -> str:
    blocks = {mark: textwrap.dedent(_without_fence(text).expandtabs(4)).strip("\n") for mark, text in texts.items()}
    lines = []
    for line in program.split("\n"):
        if line.strip() in blocks:
            lines.append(textwrap.indent(blocks[line.strip()], line[: len(line) - len(line.lstrip())]))
        else:
            lines.append(re.sub(r"\{[a-z0-9_.]+\}", lambda mark: blocks.get(mark[0], mark[0]).strip(), line))
    return "\n".join(lines)


def _as_text(response: Response) -> str:
    return response if isinstance(response, str) else "\n".join(response or ())


def _plain(markdown: str) -> str:
    return _without_fence(markdown).strip().strip("`")


def _without_fence(answer: str) -> str:
    text = answer.strip()
    head, _, rest = text.partition("\n")
    if rest.endswith("```") and re.fullmatch(r"```[\w+-]*[ \t\r]*", head):
        return rest[:-3].rstrip(" \t").removesuffix("\n").removesuffix("\r").replace("\r\n", "\n")
    return answer.replace("\r\n", "\n")
