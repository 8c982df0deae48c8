"""Models that act and models that interview, over time: looked at, asked the same again, compared with the launch."""

from __future__ import annotations

import pytest
from support.clock import HandClock
from support.providers.fake_provider import MODEL, FakeProvider, described
from support.providers.loopback_interviewer import MODEL as INTERVIEWER
from support.providers.loopback_interviewer import LoopbackInterviewer, step
from support.trials.agent_study import agent_study
from support.trials.export_world import open_app, table
from support.trials.interview_study import Interviewee
from support.trials.quiz_study import results

from analysis.cli import analyze
from study_app.dataset.verification import verify
from study_app.domain.assistants.drift import STEP_TAKEN, helped_alike
from study_app.domain.assistants.persona_checks.probing import QUESTIONS
from study_app.services.operation.models.asking import probed, watched
from study_app.services.operation.models.board import model_board
from study_app.services.operation.models.kept import replies_of
from study_app.services.operation.models.steps import ANSWERS
from study_app.services.researcher.exporting.export import export

PRICE = "price = { input_usd = 100.0, output_usd = 1000.0 }"


def board(app):
    with app.context.registry.begin(write=False) as unit:
        return model_board(app.context, unit)


def replies(app, number):
    with app.context.registry.begin(write=False) as unit:
        return replies_of(unit, number)


def test_an_agent_takes_its_first_step_at_each_round_and_it_is_compared_with_the_launch(tmp_path):
    path = agent_study(tmp_path)
    path.write_text(path.read_text().replace('["tasks/trio_timer", "tasks/trio_users"]', '["tasks/trio_timer"]'))
    app = open_app(tmp_path, HandClock(), path)
    assert probed(app.study, app.library.specs) == {}
    assert [question.treatment for question in watched(app.context)] == ["full"] * len(QUESTIONS)
    for _ in range(2):
        app.model_watch.round("probe", "test")
    made = replies(app, 1)
    stepped = [each for each in made if each.stop_reason == STEP_TAKEN]
    assert stepped
    assert all(f"[{STEP_TAKEN}: " in each.reply for each in stepped)
    assert any("```" in each.reply and each.code_share > 0 for each in stepped)
    (again,) = board(app).compared
    assert (again.pairs, again.exact, again.drifts) == (len(QUESTIONS), 1.0, [])
    # Nothing was carried out: no participant, no step in the log.
    with app.context.registry.begin(write=False) as unit:
        assert unit.participants() == []
    assert helped_alike(made) == [[], ["full"]]
    app.close()


def test_the_model_of_an_interview_is_looked_at_each_day_with_the_days_that_are_left(tmp_path):
    ends = described(lifecycle="deprecated", retires_at="2026-03-20T09:00:00Z")
    serving = FakeProvider({MODEL: ends})
    person = Interviewee(tmp_path, environment=serving.environment, top=f'model = "{MODEL}"')
    person.app.model_watch.look("test")
    (look,) = board(person.app).looks
    assert (look.treatment, look.provider, look.model, look.served) == ("interview talk", "claude", MODEL, MODEL)
    assert look.days_left(person.clock.now()) == 18
    assert "the treatment 'interview talk' retires on 2026-03-20" in look.warning(person.clock.now(), None)
    person.app.close()
    serving.close()


def test_without_a_key_an_interview_has_no_model_to_look_at_or_ask(tmp_path):
    person = Interviewee(tmp_path)
    person.app.model_watch.look("test")
    assert board(person.app).looks == ()
    assert watched(person.app.context) == []
    person.app.close()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("changes", [False, True])
def test_an_interviewer_is_asked_what_comes_after_the_same_answers_and_a_change_is_named(tmp_path, changes):
    first = [step("probe", f"What came after part {n}?") for n in range(len(ANSWERS))]
    later = [step("next", topic="hard") for _ in ANSWERS] if changes else first
    with LoopbackInterviewer(*first, *later) as interviewer:
        environment = {"ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": interviewer.url}
        person = Interviewee(tmp_path, environment=environment, top=f'model = "{INTERVIEWER}"\n{PRICE}')
        for _ in range(2):
            person.app.model_watch.round("probe", "test")
        bodies = [str(body["messages"]) for body in interviewer.bodies]
    assert len(bodies) == 2 * len(ANSWERS)
    assert all(answer in body for answer, body in zip([*ANSWERS, *ANSWERS], bodies, strict=True))
    made = replies(person.app, 1)
    assert {(each.treatment, each.task, each.model) for each in made} == {("interview talk", "talk", INTERVIEWER)}
    assert made[0].reply == "[probe] What came after part 0?"
    assert made[0].usd == pytest.approx((30 * 100 + 9 * 1000) / 1e6)
    (again,) = board(person.app).compared
    assert again.exact == (0.0 if changes else 1.0)
    assert bool(again.drifts) == changes
    export(person.app.context, tmp_path / "out", include_preview=True)
    assert len(table(tmp_path / "out", "model_replies")) == 2 * len(ANSWERS)
    report = verify(tmp_path / "out")
    assert report.ok, report.lines()
    if changes:
        analyze(tmp_path / "out", tmp_path / "analysed", include_preview=True)
        assert any("interview talk" in line for line in results(tmp_path / "analysed")["warnings"])
        assert results(tmp_path / "analysed")["models"]["help"] == {}
    person.app.close()
