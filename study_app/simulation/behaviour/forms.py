"""Simulated participants fill in forms as the component does: events of every change, then the press on Continue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from study_app.domain.errors import InfrastructureError
from study_app.domain.events.browser import AnswerEdit, AnswerLoad, AnswerSet, AnswersShown, SubmitPressed
from study_app.domain.events.changes import Change, utf16_length
from study_app.domain.quiz.answering import is_blank
from study_app.services.participant.answers import ShownPage
from study_app.simulation.behaviour.browser_tab import Cue, Tab

_WORDS_AT_ONCE = 6
"""Words in one edit: a page sends an edit for each key, and fewer edits make the same text."""


def fill_in_form(
    tab: Tab, stage: str, step: int, seconds: float, shown: Mapping[str, Any], starters: Mapping[str, str] | None = None
) -> Iterator[float]:
    """Answer the fields of a page one after the other and hand it in; yields seconds to wait.

    Args:
        tab: where the form is shown.
        stage: its stage.
        step: its page.
        seconds: how long the whole takes.
        shown: field -> what stands in it at the end, as in `domain.answering`; None for what is left out.
        starters: field -> the text that a box holds at first.
    """
    at_first = starters or {}
    tab.add(AnswersShown(stage=stage, step=step))
    for name, text in at_first.items():
        tab.add(AnswerLoad(stage=stage, step=step, field=name, value=text))
    given = {name: value for name, value in shown.items() if not is_blank(value)}
    for name, value in given.items():
        share = seconds / len(given)
        changes = _changes(AnswerSet(stage=stage, step=step, field=name, value=value), at_first.get(name, ""))
        cues: list[Cue] = [(share * (0.5 + 0.5 * n / len(changes)), change) for n, change in enumerate(changes)]
        yield from tab.play(share, cues)
    tab.add(SubmitPressed(stage=stage, step=step))
    tab.flush()
    screen = ShownPage(tab.page, tab.last, stage, step, {**at_first, **given})
    if not tab.app.answers.submit(tab.participant_id, screen).accepted:
        raise InfrastructureError(f"{stage}, page {step + 1}: a simulated participant's answers were not taken")


class Written(str):
    """A text that is written into a box, not an option that is chosen."""


def _changes(chosen: AnswerSet, before: str) -> list[AnswerSet | AnswerEdit]:
    """Return the events by which a field comes to hold a value: a choice is made at once, a text written in pieces."""
    if not isinstance(chosen.value, Written):
        return [chosen]
    words = chosen.value.split(" ")
    pieces = [" ".join(words[at : at + _WORDS_AT_ONCE]) for at in range(0, len(words), _WORDS_AT_ONCE)]
    pieces = [piece if number == 0 else f" {piece}" for number, piece in enumerate(pieces)]
    edits: list[AnswerSet | AnswerEdit] = []
    length = 0
    for number, piece in enumerate(pieces):
        start, end = (0, utf16_length(before)) if number == 0 else (length, length)
        length += utf16_length(piece)
        edits.append(
            AnswerEdit(
                stage=chosen.stage,
                step=chosen.step,
                field=chosen.field,
                how="typed",
                changes=(Change(start, end, piece),),
                length=length,
                user_event="insertText",
            )
        )
    return edits
