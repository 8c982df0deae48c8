"""The judge of an explain-first gate is paid: in limits, in the study's spending, in the export, and for `verify`."""

from __future__ import annotations

import asyncio
import json

import pytest
from support.clock import HandClock
from support.providers.messages_api import Answer, serving, whole
from support.trials.export_world import Walker, open_app, real_study, settle, table
from support.trials.quiz_study import rewrite_table

from study_app.assistant.claude import ClaudeAssistant
from study_app.dataset.verification import verify
from study_app.domain.assistants.treatments import AssistantLimits, StudyLimits
from study_app.services.participant.chatting.questions import BudgetSpent
from study_app.services.researcher.exporting.export import export
from study_app.services.spending import costs_by_model, shared_use, spent_usd, used_by_all
from study_app.storage.unit_of_work import SqlUnitOfWork

READ, WRITTEN = 90_000, 12_000
"""By the judge of one message."""
# At the price of the shipped treatment.
JUDGED = READ * 2.0 / 1e6 + WRITTEN * 10.0 / 1e6
REPLIED = 25 * 2.0 / 1e6 + 7 * 10.0 / 1e6


def said(text: str) -> Answer:
    message = {
        "id": "m", "type": "message", "role": "assistant", "model": "claude-served-1", "stop_reason": "end_turn",
        "stop_sequence": None, "content": [{"type": "text", "text": text}],
        "usage": {"input_tokens": READ, "output_tokens": WRITTEN},
    }  # fmt: skip
    return Answer([json.dumps(message).encode()])


VERDICT = said('{"verdict": "not_explained", "reason": "It only asks."}')


@pytest.fixture
def gated(tmp_path, monkeypatch):
    path = real_study(tmp_path, **{'file = "assistants/full.toml"': 'file = "gated.toml"'})
    text = (tmp_path / "assistants" / "full.toml").read_text(encoding="utf-8")
    (tmp_path / "gated.toml").write_text(f'gate = "explain"\n{text}', encoding="utf-8")
    clock = HandClock()
    app = open_app(tmp_path, clock, path)
    walker = next(w for w in (Walker(app, clock).to_tasks() for _ in range(8)) if w.arm == "ai").begin_tasks()
    edition = app.context.edition

    def ask(*answers):
        async def scene():
            async with serving(*answers) as api:

                def claude(name):
                    found = edition(name)
                    for id, spec in found.content.specs.items():
                        found.assistants[id] = ClaudeAssistant(spec, api_key="sk-x", base_url=api.url)
                    return found

                monkeypatch.setattr(app.context, "edition", claude, raising=False)
                asked = await app.help.ask(walker.id, "write it all", walker.page, walker.text, walker.seq)
                return "".join([piece async for piece in asked.text])

        return asyncio.run(scene())

    yield app, walker, ask
    app.close()


def limit(app, **changed):
    """Set limits of the gated treatment."""
    [spec] = [spec for spec in app.context.content.specs.values() if spec.gate != "none"]
    for name, value in changed.items():
        app.context.content.specs[spec.id].__dict__[name] = value


@pytest.mark.parametrize("verdict", [VERDICT, said("Sure!")])
def test_a_judge_is_paid_by_participant_treatment_and_study_whether_it_gave_a_verdict_or_not(gated, verdict):
    app, walker, ask = gated
    ask(verdict, Answer(whole("Say more.")))
    content = app.context.content
    with app.context.registry.begin(write=False) as unit:
        reply, judge = costs_by_model(unit, content, "preview")
        assert spent_usd(unit, content, "preview") == pytest.approx(JUDGED + REPLIED)
        [used] = used_by_all(unit, content, "preview").values()
        assert shared_use(unit, "preview", content, content).spent_usd == pytest.approx(JUDGED + REPLIED)
    assert (judge.treatment, judge.model, judge.messages) == (f"gate {reply.treatment}", "claude-served-1", 1)
    assert (judge.input_tokens, judge.output_tokens, judge.usd) == (READ, WRITTEN, pytest.approx(JUDGED))
    # Limits on messages and tokens are on replies.
    assert (used.turns, used.output_tokens, used.cost_usd) == (1, 7, pytest.approx(JUDGED + REPLIED))
    for limits in ({"limits": AssistantLimits(cost_usd=JUDGED)}, {"study_limits": StudyLimits(cost_usd=JUDGED)}):
        limit(app, **limits)
        with pytest.raises(BudgetSpent, match="cost"):
            ask(VERDICT, Answer(whole("Say more.")))
        limit(app, limits=AssistantLimits(output_tokens=500), study_limits=StudyLimits(output_tokens=500))
    assert ask(VERDICT, Answer(whole("Say more.")))


def test_what_a_gated_treatment_used_is_summed_by_the_database_and_no_text_of_its_turns_is_read(gated, monkeypatch):
    app, _, ask = gated
    for _ in range(2):
        ask(VERDICT, Answer(whole("Say more.")))
    content, read = app.context.content, []
    apart = SqlUnitOfWork.turns_apart
    monkeypatch.setattr(SqlUnitOfWork, "turns_apart", lambda *given: read.extend(apart(*given)) or list(read))
    with app.context.registry.begin(write=False) as unit:
        shared = shared_use(unit, "preview", content, content)
        costs = costs_by_model(unit, content, "preview")
    [used] = shared.by_treatment.values()
    assert (used.turns, used.input_tokens, used.output_tokens) == (2, 50, 14)
    assert shared.spent_usd == used.cost_usd == pytest.approx(2 * (JUDGED + REPLIED))
    assert sum(each.usd for each in costs) == pytest.approx(shared.spent_usd)
    assert read == []


def test_what_a_judge_used_is_exported_and_a_change_of_it_is_found(gated, tmp_path):
    app, walker, ask = gated
    ask(VERDICT, Answer(whole("Say more.")))
    walker.submit()
    settle(app)
    export(app.context, tmp_path / "data", include_preview=True)
    [row] = table(tmp_path / "data", "turns")
    assert (row["gate_model"], row["gate_input_tokens"], row["gate_output_tokens"]) == (
        "claude-served-1", str(READ), str(WRITTEN),
    )  # fmt: skip
    assert not [finding for finding in verify(tmp_path / "data").findings if finding.name == "gate_differs"]
    rewrite_table(tmp_path / "data", "turns", lambda text: text.replace(str(READ), "9"))
    assert "gate_differs" in {finding.name for finding in verify(tmp_path / "data").findings}
