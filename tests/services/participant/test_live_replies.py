"""A reply while it is written: what an agent says after a step begins a paragraph, and no other does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from study_app.domain.records import Turn
from study_app.services.participant.agent.working import Frame
from study_app.services.participant.chatting.replies import LiveReply

TURN = Turn("t1", "p1", "sort", "notes", "full", "notes", "1", "?", "", "", datetime(2026, 1, 5, 9, 0, tzinfo=UTC))
STEP, RESULT = Frame({"type": "action"}), Frame({"type": "result"})


@pytest.mark.parametrize(
    ("comes", "reply"),
    [
        (["I look.", STEP, "It is short."], "I look.\n\nIt is short."),
        (["I look.\n\n", STEP, "It is short."], "I look.\n\nIt is short."),
        (["I look.", STEP, STEP, "It is short."], "I look.\n\nIt is short."),
        ([STEP, "It is short."], "It is short."),
        (["I look.", RESULT, " It is short."], "I look. It is short."),
    ],
)
def test_what_comes_after_a_step_begins_a_paragraph(comes, reply):
    live = LiveReply(TURN)
    for each in comes:
        live.show(each) if isinstance(each, Frame) else live.add(each)
    sent = [live.pieces.get_nowait() for _ in range(live.pieces.qsize())]
    assert live.turn.reply == "".join(each for each in sent if isinstance(each, str)) == reply
    assert [each for each in sent if isinstance(each, Frame)] == [each for each in comes if isinstance(each, Frame)]
