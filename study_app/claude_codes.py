"""Claude's codes of queries, where the plan asks for them: made once, at the first export after a query, and kept."""

from __future__ import annotations

from typing import Any

from study_app.domain.errors import AssistantUnavailable, UserError
from study_app.domain.interaction.codebook import join
from study_app.domain.interaction.codes import RUBRIC
from study_app.domain.records import Rating
from study_app.services.context import StudyContext

CLAUDE = "claude"
"""The rater under whose name they are kept."""


def code_by_claude(context: StudyContext, client: Any = None) -> list[str]:
    """Store Claude's codes of every query that has none, as ratings by `claude`; returns what to warn of.

    Does nothing unless the plan's coder is `claude`. A participant's queries are sent together, so that short messages
    keep their context; what was coded before stays as it was. Without a key, or with Claude out of reach, queries stay
    without codes: the export goes on and says so.

    Args:
        context: the study.
        client: of the Messages API; None makes one from the environment.
    """
    if context.study.analysis.coder != CLAUDE:
        return []
    from analysis.interaction.coders.claude import code_with_claude
    from analysis.interaction.coders.queries import CodedQuery

    with context.registry.begin(write=False) as unit:
        done = {r.object for r in unit.ratings() if (r.rater, r.rubric) == (CLAUDE, RUBRIC)}
        turns = [turn for turn in unit.turns() if turn.message]
    waiting = {turn.participant_id for turn in turns if f"turn:{turn.id}" not in done}
    asked = [CodedQuery(turn.id, turn.participant_id, turn.message) for turn in turns if turn.participant_id in waiting]
    if not asked:
        return []
    try:
        coding = code_with_claude(asked, client)
    except (UserError, AssistantUnavailable) as error:
        return [f"the plan's coder is claude, and queries stay without codes: {error}"]
    now = context.now()
    with context.registry.begin() as unit:
        # Of a message that was erased since it was read no judgement is kept.
        unit.lock("judgements")
        there = {turn.id for turn in unit.turns()}
        for turn, labels in coding.codes.items():
            if turn in there and f"turn:{turn}" not in done:
                unit.add_rating(Rating(f"claude:{turn}", f"turn:{turn}", CLAUDE, join(labels), RUBRIC, now))
    return [f"turn {turn} was not coded by claude: {reason}" for turn, reason in coding.uncoded.items()]
