"""How long the parts of a study take: for the page's progress, for placeholders in texts, and for `study check`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from study_app.domain.study.sections import Question, Stage
from study_app.domain.study.study import Study

READING_MINUTES = {"consent": 2.0, "device": 0.5, "instructions": 1.5, "interview": 10.0, "debrief": 0.0}
"""Minutes for a stage that is read, where the study file gives none."""
QUESTION_MINUTES = {
    "choice": 0.2,
    "scale": 0.15,
    "slider": 0.15,
    "matrix": 0.1,
    "ranking": 0.5,
    "multiple": 0.3,
    "number": 0.2,
    "text": 0.75,
}


@dataclass(frozen=True)
class Progress:
    """Where a participant is among the parts of the present session."""

    part: int
    """From 1."""
    parts: int
    minutes_left: int
    """At most, of this session, rounded so that it is not taken for exact."""
    later_minutes: float
    """At most, of the parts after this one."""


def expected_minutes(stage: Stage) -> float:
    """Minutes that a stage takes at most, as far as can be said."""
    if stage.minutes is not None:
        return stage.minutes
    if stage.about_minutes is not None:
        return stage.about_minutes
    return READING_MINUTES.get(stage.kind, 0.5) + sum(_question(question) for question in stage.asked)


def _question(question: Question) -> float:
    return QUESTION_MINUTES.get(question.kind, 0.2) * max(1, len(question.rows))


def parts_of(study: Study, session: str) -> list[Stage]:
    """Return the stages of a session that count as parts: all but the last page."""
    return [stage for stage in study.stages if stage.session == session and stage.kind != "debrief"]


def session_minutes(study: Study, session: str) -> int:
    """Minutes that a session takes at most, rounded."""
    return rounded(sum(expected_minutes(stage) for stage in parts_of(study, session)))


def progress(study: Study, stage: Stage, spent_minutes: float = 0.0) -> Progress | None:
    """Return where a stage stands in its session; None for the last page.

    Args:
        study: the whole of it.
        stage: where the participant is.
        spent_minutes: minutes already spent on a timed stage.
    """
    parts = parts_of(study, stage.session)
    if stage not in parts:
        return None
    index = parts.index(stage)
    here = max(0.0, expected_minutes(stage) - spent_minutes)
    later = sum(expected_minutes(stage) for stage in parts[index + 1 :])
    return Progress(index + 1, len(parts), rounded(here + later), later)


def rounded(minutes: float) -> int:
    """Whole minutes, upwards: to the next five from ten on, at least one."""
    if minutes > 10:
        # Rounded first: a sum such as 15.000000000000002 is 15 and not 20.
        return math.ceil(round(minutes / 5, 6)) * 5
    return max(1, math.ceil(round(minutes, 6)))


# -- minutes in texts --------------------------------------------------------------------------------------------------


def whole(minutes: float) -> str:
    """`35`, `2.5`."""
    return f"{minutes:g}"


def timed_after(study: Study, stage: Stage) -> Stage | None:
    """Return the timed stage that a text shown at `stage` speaks of: itself, or the next one with a limit."""
    later = study.stages[study.stages.index(stage) :]
    return next((each for each in later if each.minutes is not None), None)


def filled(text: str, study: Study, stage: Stage) -> str:
    """Return a text of the study file with `{minutes}` and `{total_minutes}` filled in."""
    timed = timed_after(study, stage)
    if timed is not None and timed.minutes is not None:
        text = text.replace("{minutes}", whole(timed.minutes))
    return text.replace("{total_minutes}", str(session_minutes(study, stage.session)))


_ONES = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = {word: 10 * number for number, word in enumerate("twenty thirty forty fifty sixty seventy".split(), start=2)}
_TENS |= {"eighty": 80, "ninety": 90}
_WORDS = {word: number for number, word in enumerate([*_ONES, *_TEENS], start=1)}
_WORDS |= _TENS | {f"{ten}-{one}": tens + _WORDS[one] for ten, tens in _TENS.items() for one in _ONES}
_NUMBER = r"\d+(?:[.,]\d+)?|half\s+an|an|" + "|".join(sorted(_WORDS, key=len, reverse=True))
_MORE = {"a quarter": 15.0, "a half": 30.0, "three quarters": 45.0}
_STATED = re.compile(
    rf"(?P<before>\b\w{{1,30}}\s)??[*_]{{0,3}}\b(?P<number>{_NUMBER})\b[*_]{{0,3}}[\s-]{{1,3}}(?P<unit>min(?:ut\w{{0,9}})?|hours?)\b"
    rf"(?:\s+and\s+(?P<more>{'|'.join(_MORE)}|(?:{_NUMBER})\s+minutes))?[*_]{{0,3}}(?P<after>\s\w{{1,30}})?",
    re.IGNORECASE,
)
_PART_BEFORE = {"last", "first", "every", "each", "per", "another", "after", "final"}
_PART_AFTER = {"before", "per", "each", "ago", "earlier", "later"}
"""Words beside a number that is not a limit: `the last five minutes`, `two minutes per question`."""


def stated_minutes(text: str) -> Iterator[tuple[str, float]]:
    """Yield every limit that a text states, as written and in minutes."""
    for match in _STATED.finditer(" ".join(text.split())):
        before, after = (match["before"] or "").strip().lower(), (match["after"] or "").strip().lower()
        if before in _PART_BEFORE or after in _PART_AFTER:
            continue
        scale = 60 if match["unit"].lower().startswith("hour") else 1
        value = _number(match["number"]) * scale + _more((match["more"] or "").lower())
        if value:
            end = match.start("after") if match["after"] else match.end()
            yield match.string[match.start("number") : end].strip(" *_"), value


def _number(words: str) -> float:
    words = " ".join(words.lower().split())
    if words in ("an", "half an"):
        return 0.5 if words.startswith("half") else 1.0
    return float(_WORDS.get(words) or words.replace(",", "."))


def _more(words: str) -> float:
    """Return what follows `an hour and`."""
    if not words:
        return 0.0
    return _MORE.get(words) or _number(words.removesuffix(" minutes"))


@dataclass(frozen=True)
class WrongMinutes:
    """A text that states another limit than the study file sets."""

    key: str
    stated: str
    limit: float


def wrong_minutes(study: Study) -> list[WrongMinutes]:
    """Return every text before or on a timed stage that states minutes which differ from the stage's limit.

    Arms' instructions are shown at stages of kind `instructions` and speak of the tasks that follow.
    """
    found = []
    for stage in study.stages:
        if stage.minutes is not None:
            texts = {f"stages.{stage.id}.intro": stage.intro, f"stages.{stage.id}.body": stage.body}
            found += [wrong for key, text in texts.items() for wrong in _differing(key, text, {stage.minutes})]
        elif stage.kind == "instructions":
            found += _instructions(study, stage)
        elif stage.kind == "consent":
            limits = {each.minutes for each in study.stages if each.minutes is not None}
            total = float(session_minutes(study, stage.session))
            found += _differing(f"stages.{stage.id}.body", stage.body, limits | {total}, total)
    return list(dict.fromkeys(found))


def _instructions(study: Study, stage: Stage) -> list[WrongMinutes]:
    timed = timed_after(study, stage)
    if timed is None or timed.minutes is None:
        return []
    texts = {f"arms.{arm.id}.instructions": arm.instructions for arm in study.arms}
    texts[f"stages.{stage.id}.body"] = stage.body
    return [wrong for key, text in texts.items() for wrong in _differing(key, text, {timed.minutes})]


def _differing(key: str, text: str, limits: set[float], limit: float | None = None) -> list[WrongMinutes]:
    named = limit if limit is not None else next(iter(limits))
    return [WrongMinutes(key, words, named) for words, value in stated_minutes(text) if value not in limits]
