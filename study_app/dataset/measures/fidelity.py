"""Does an assistant that must not give code give code? How much of the solution each reply holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from study_app.dataset.measures.record import Content, ParticipantRecord
from study_app.domain.assistants.fidelity import LEAK_THRESHOLD, LeakShare, leak_score
from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.records import Turn
from study_app.domain.study.study import Study


def solution_shares(record: ParticipantRecord, content: Content) -> dict[str, float]:
    """Turn -> the largest share, 0 to 1, of any one function of the task's solution that the reply reproduces.

    What the participant had anyway (starter, brief) does not count. A turn on a task whose pack is gone is left out.
    """
    found = {}
    for turn in record.turns:
        pack = content.pack_of(record.study, turn.task, record.participant.arm)
        if pack is not None and turn.reply:
            given = f"{pack.starter}\n{pack.brief}"
            found[turn.id] = leak_score(turn.reply[:_LONGEST], pack.solution, given=given)
    return found


def leaks_by_treatment(
    turns: Iterable[Turn], specs: Mapping[str, AssistantSpec], study: Study, content: Content
) -> dict[str, LeakShare]:
    """Of each treatment that must not give code: how many of its replies do.

    Args:
        turns: The participants' turns.
        specs: The study's treatments.
        study: As it is now.
        content: Its packs.
    """
    found = {spec.id: [0, 0] for spec in specs.values() if not spec.gives_code}
    for turn in turns:
        pack = content.pack_of(study, turn.task) if turn.treatment in found and turn.reply else None
        if pack is not None:
            share = leak_score(turn.reply[:_LONGEST], pack.solution, given=f"{pack.starter}\n{pack.brief}")
            found[turn.treatment][0] += 1
            found[turn.treatment][1] += share >= LEAK_THRESHOLD
    return {name: LeakShare(replies, leaked) for name, (replies, leaked) in found.items() if replies}


_LONGEST = 40_000
"""Characters of a reply that are looked at."""
