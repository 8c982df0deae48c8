"""An agent that acts without a word: people received it, and its next message knows what it did."""

from __future__ import annotations

from services.participant.agent.test_limits import Scripted
from services.participant.agent.test_waiting_and_spending import change, scripted
from support.clock import HandClock
from support.trials.agent_study import AgentPage, agent_walker
from support.trials.export_world import settle, table
from support.trials.quiz_study import change_row

from study_app.dataset.verification import verify
from study_app.domain.assistants.acting import ToolCall
from study_app.domain.assistants.treatments import TextDelta
from study_app.services.researcher.exporting.export import export


async def silently(self, request):
    async for piece in Scripted.step(self, request):
        if not isinstance(piece, TextDelta):
            yield piece


def test_a_turn_without_words_counts_as_received_and_is_known_to_the_next_message(tmp_path):
    app, walker = agent_walker(tmp_path, HandClock(), "none")
    edit = change(walker)
    agent = scripted(app, ToolCall("view", {}), edit, ToolCall("report", {"summary": "I marked it as done."}))
    agent.step = silently.__get__(agent)
    AgentPage(walker, lambda _frame: "approve").ask("Mark it as done.")
    assert [turn.reply for turn in app.help.turns(walker.id)] == [""]
    agent.calls = ()
    AgentPage(walker, lambda _frame: "approve").ask("Now undo that.")
    ((message, sent),) = agent.met[-1].asked.history
    assert message == "Mark it as done."
    assert "# done" in sent
    assert "report: I marked it as done." in sent
    walker.clock.advance(minutes=90)
    app.session.where(walker.id)
    settle(app)
    data = tmp_path / "data"
    export(app.context, data, include_preview=True)
    app.close()
    own = [row for row in table(data, "participants") if row["participant_id"] == walker.id]
    assert [row["received"] for row in own] == ["1"]
    assert [str(each) for each in verify(data).findings if each.finding_class != "browser"] == []
    # An older version wrote 0 here, and its exports stay valid.
    change_row(data, "participants", lambda row: row["participant_id"] == walker.id, received="0")
    assert "derived_differs" not in [each.name for each in verify(data).findings]
