"""An assistant whose code comes after an explanation: withheld, opened, logged, exported, audited, verified."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import shutil
from dataclasses import replace

import pytest
from support.clock import HandClock
from support.providers.messages_api import Answer, failure, serving, whole
from support.trials.export_world import Walker, open_app, real_study, settle, table
from support.trials.quiz_study import rewrite_table
from support.trials.simulations import simulate_apart

from study_app.assistant.claude import ClaudeAssistant
from study_app.clock import SystemClock
from study_app.dataset.verification import verify
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec
from study_app.domain.errors import NotAllowed
from study_app.services.participant.chatting.turns import record_outage
from study_app.services.participant.gate import judged
from study_app.services.researcher.blind_codes.gate_audit import GateAudits, has_gate
from study_app.services.researcher.exporting.export import export
from study_app.settings import Settings
from study_app.simulation import open_for_simulation

IDEA = (
    "First I would loop over the count and sleep for the interval each time before I print the tick, then in together "
    "I start both in a nursery inside a cancel scope with the limit, because whatever still runs has to stop."
)
ASKS = "write all the code of timer"
CLOSING = "Code comes once you have explained your idea"


def gated_study(folder):
    path = real_study(folder, **{'file = "assistants/full.toml"': 'file = "gated.toml"'})
    text = (folder / "assistants" / "full.toml").read_text(encoding="utf-8")
    (folder / "gated.toml").write_text(f'gate = "explain"\n{text}', encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    folder, clock = tmp_path_factory.mktemp("gate"), HandClock()
    app = open_app(folder, clock, gated_study(folder))
    walker = next(w for w in (Walker(app, clock).to_tasks() for _ in range(8)) if w.arm == "ai")
    walker.begin_tasks()
    replies = {}
    for name, message in (("asked", ASKS), ("explained", IDEA), ("then", ASKS)):
        replies[name] = walker.ask(message)
        clock.advance(minutes=1)
    settle(app)
    export(app.context, folder / "data", include_preview=True)
    yield app, walker, replies, folder / "data"
    app.close()


def test_code_comes_after_the_explanation_and_not_before(trial):
    _, _, replies, _ = trial
    assert "```" not in replies["asked"]
    assert "def timer" not in replies["asked"]
    assert CLOSING in replies["asked"]
    assert CLOSING not in replies["explained"] + replies["then"]
    assert "def timer" in replies["then"]


def test_what_is_judged_of_a_person_whose_data_were_erased_meanwhile_is_not_kept(tmp_path, monkeypatch):
    clock = HandClock()
    app = open_app(tmp_path, clock, gated_study(tmp_path))
    walker = next(w for w in (Walker(app, clock).to_tasks() for _ in range(8)) if w.arm == "ai").begin_tasks()

    async def slowly(assistant, request):
        await asyncio.to_thread(app.session.withdraw, walker.id, True)
        return await judged(assistant, request)

    monkeypatch.setattr("study_app.services.participant.chat.judged", slowly)
    walker.ask(ASKS)
    with app.context.registry.begin(write=False) as unit:
        assert not [event for event in unit.events(walker.id) if event.kind == "gate_judged" and event.payload]
        assert not unit.ratings()
        assert not unit.turns(walker.id)
    app.close()


def test_a_verdict_that_comes_after_another_server_ended_the_turn_leaves_it_ended(tmp_path, monkeypatch):
    clock = HandClock()
    app = open_app(tmp_path, clock, gated_study(tmp_path))
    walker = next(w for w in (Walker(app, clock).to_tasks() for _ in range(8)) if w.arm == "ai").begin_tasks()
    began = app.session.where(walker.id).deadline_at

    def end() -> None:
        clock.advance(seconds=60)
        with app.context.registry.begin() as unit:
            work = unit.work_of(walker.id, "reply")
            # As the other server does that takes this one for gone.
            assert work is not None
            assert unit.end_work(work)
            turn = unit.turns(walker.id)[0]
            unit.update_turn(replace(turn, complete=True, error="interrupted"))
            record_outage(unit, replace(turn, error="interrupted"), 60.0, clock.now())

    async def slowly(assistant, request):
        await asyncio.to_thread(end)
        return await judged(assistant, request)

    monkeypatch.setattr("study_app.services.participant.chat.judged", slowly)
    walker.ask(ASKS)
    with app.context.registry.begin(write=False) as unit:
        [turn] = unit.turns(walker.id)
        assert (turn.complete, turn.error, turn.reply) == (True, "interrupted", "")
        assert not [event for event in unit.events(walker.id) if event.kind == "gate_judged"]
        assert not unit.ratings()
    # A page that asks closes no turn a second time, and no time is given back twice.
    assert [each.error for each in app.help.turns(walker.id)] == ["interrupted"]
    assert (app.session.where(walker.id).deadline_at - began).total_seconds() == 60
    app.close()


def test_each_verdict_is_in_the_log_and_in_the_table(trial):
    app, walker, replies, dataset = trial
    with app.context.registry.begin(write=False) as unit:
        logged = [event.payload for event in unit.events(walker.id) if event.kind == "gate_judged"]
    assert [(each["verdict"], each["by"], each["reason"]) for each in logged] == [
        ("not_explained", "rules", "only_asks"), ("explained", "rules", "explained"), ("open", "", ""),
    ]  # fmt: skip
    rows = table(dataset, "turns")
    assert [row["gate"] for row in rows] == ["not_explained", "explained", "open"]
    assert [row["reply"] for row in rows] == [replies[name] for name in ("asked", "explained", "then")]
    assert [row["withheld_chars"] != "" for row in rows] == [True, False, False]


def test_verify_is_content_and_finds_code_that_came_too_early_and_verdicts_that_were_changed(trial, tmp_path):
    *_, dataset = trial
    assert not verify(dataset).findings
    found = {}
    for name, column, value in (("code", "reply_code_chars", "40"), ("verdict", "gate", "explained")):
        changed = tmp_path / name
        shutil.copytree(dataset, changed)
        rewrite_table(changed, "turns", lambda text, c=column, v=value: _first_row(text, c, v))
        found[name] = {finding.name: finding.finding_class for finding in verify(changed).findings}
    assert found["code"]["code_before_explanation"] == "protocol"
    assert found["verdict"]["gate_differs"] == "tampering"


def _first_row(text: str, column: str, value: str) -> str:
    rows = list(csv.DictReader(io.StringIO(text)))
    rows[0][column] = value
    new = io.StringIO(newline="")
    writer = csv.DictWriter(new, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return new.getvalue()


def test_people_audit_verdicts_without_seeing_them_first(trial):
    app, *_ = trial
    audits = GateAudits(app.context)
    with pytest.raises(NotAllowed, match="has not judged this message"):
        audits.audit("ann", "a turn that is not there", explained=True)
    assert has_gate(app.context)
    waiting = audits.waiting("hana", "preview")
    assert {each.message for each in waiting} == {ASKS, IDEA}
    assert audits.audited("hana", "preview") == []
    for each in waiting:
        audits.audit("hana", each.turn_id, explained=True)
    done = audits.audited("hana", "preview")
    assert audits.audited("ivo", "preview") == []
    assert audits.waiting("hana", "preview") == []
    assert [(each.verdict, each.agrees) for each in done] == [("not_explained", False), ("explained", True)]
    with app.context.registry.begin(write=False) as unit:
        assert {rating.rater for rating in unit.ratings()} == {"rules", "hana"}


# -- Claude as the judge -----------------------------------------------------------------------------------------------

SPEC = AssistantSpec(id="full", version="1", label="A", prompt="Help.", model="claude-asked-1", gate="explain")
REQUEST = AssistantRequest(IDEA, "Write `timer`.", "", (("Hi", "Hello."),), withhold_code=True)


def verdict_of(*answers):
    async def scene():
        async with serving(*answers) as api:
            assistant = ClaudeAssistant(SPEC, api_key="sk-ant-none", base_url=api.url)
            return await judged(assistant, REQUEST), api

    return asyncio.run(scene())


def said(text: str) -> Answer:
    message = {
        "id": "m", "type": "message", "role": "assistant", "model": "claude-served-1", "stop_reason": "end_turn",
        "stop_sequence": None, "content": [{"type": "text", "text": text}],
        "usage": {"input_tokens": 90, "output_tokens": 12},
    }  # fmt: skip
    return Answer([json.dumps(message).encode()])


def test_with_a_key_claude_judges_by_structured_output():
    verdict, api = verdict_of(said('{"verdict": "not_explained", "reason": "It only names the parts."}'))
    assert (verdict.verdict, verdict.by, verdict.reason) == ("not_explained", "claude", "It only names the parts.")
    assert (verdict.model, verdict.input_tokens, verdict.output_tokens) == ("claude-served-1", 90, 12)
    (body,) = api.bodies
    assert body["output_config"]["format"]["type"] == "json_schema"
    assert IDEA in body["messages"][0]["content"]


@pytest.mark.parametrize(
    "answer", [said("Sure!"), said('{"verdict": "open", "reason": ""}'), failure(400, "invalid_request_error")]
)
def test_a_judge_that_fails_leaves_it_to_the_rules(answer):
    verdict, _ = verdict_of(answer)
    assert verdict.by == "rules"


def test_the_prompt_of_a_closed_gate_asks_for_words_and_its_version_is_another():
    async def scene():
        async with serving(Answer(whole("Ok."))) as api:
            assistant = ClaudeAssistant(SPEC, api_key="sk-ant-none", base_url=api.url)
            async for _ in assistant.reply(REQUEST):
                pass
            return api.bodies[0]["system"]

    assert "Give no code at all in this reply" in asyncio.run(scene())
    assert SPEC.prompt_version != SPEC.model_copy(update={"gate": "none"}).prompt_version


@pytest.mark.slow
def test_simulated_participants_explain_and_then_get_code(tmp_path):
    settings = Settings(gated_study(tmp_path), f"sqlite:///{tmp_path}/study.db", tmp_path, environment={})
    app = open_for_simulation(settings, 4)
    simulate_apart(app, participants=4, seed=4)
    app.context.clock = SystemClock()
    settle(app)
    export(app.context, tmp_path / "data", include_simulated=True)
    app.close()
    verdicts = {row["gate"] for row in table(tmp_path / "data", "turns") if row["task"] != "warmup"}
    assert verdicts == {"not_explained", "explained", "open"}
    assert not verify(tmp_path / "data").findings
