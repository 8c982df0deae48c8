"""What interviews cost: in the table of costs, within the study's limit, and asked of the provider before a launch."""

from __future__ import annotations

import pytest
from support.providers.fake_provider import MODEL, FakeProvider, described
from support.providers.loopback_interviewer import LoopbackInterviewer, step
from support.trials.interview_study import LONG, Interviewee, plan_text

from study_app.assistant.provider import check_provider
from study_app.cli.checks.study_checks import assistant_problems
from study_app.dataset.verification import verify
from study_app.domain.errors import ProblemsFound
from study_app.domain.events.server import InterviewAsked
from study_app.domain.interviews.plan import read_plan
from study_app.services.researcher.monitoring import Monitor
from study_app.services.spending import spent_usd

PRICE = "price = { input_usd = 100.0, output_usd = 1000.0 }"
"""Of a step of 30 tokens read and 9 written: 0.012 US dollars."""
STEPS = [step("probe", f"What came after part {n}?") for n in range(1, 9)]


def interviewed(folder, interviewer, limit=None, **study):
    environment = {"ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": interviewer.url}
    policy = f"[assistant_policy]\nstudy_cost_limit = {limit}" if limit else ""
    return Interviewee(folder, environment=environment, policy=policy, **study)


def test_an_interviews_tokens_stand_in_the_costs_and_count_towards_the_limit(tmp_path):
    with LoopbackInterviewer(*STEPS) as interviewer:
        person = interviewed(tmp_path, interviewer, limit=0.02, top=PRICE)
        person.say(LONG).say(LONG)
        assert person.asked == "What came after part 2?"
        assert len(interviewer.bodies) == 2
        # 0.024 of 0.02 US dollars are spent: no model is asked any more, a rule chooses, and the row says why.
        assert person.say(LONG).asked == "Which moment was the hardest for you?"
        assert person.say("Slowly.").asked == "Can you tell me about one concrete moment?"
        assert len(interviewer.bodies) == 2
    assert [each.error for each in person.events(InterviewAsked)][-1] == "budget"
    with person.app.context.registry.begin(write=False) as unit:
        assert spent_usd(unit, person.app.context.content, "preview") == pytest.approx(0.024)
        assert spent_usd(unit, person.app.context.content, "real") == 0
    (cost,) = Monitor(person.app.context).costs("preview")
    assert (cost.treatment, cost.messages, cost.input_tokens, cost.output_tokens) == ("interview talk", 2, 60, 18)
    assert cost.usd == pytest.approx(0.024)
    assert [str(each) for each in verify(person.export()).findings] == []


def test_a_limit_without_a_price_of_the_plan_cannot_be_kept_and_is_refused(tmp_path):
    def problems(name, **study):
        (tmp_path / name).mkdir()
        with LoopbackInterviewer(step("next")) as interviewer:
            person = interviewed(tmp_path / name, interviewer, limit=1, **study)
            return [str(each) for each in assistant_problems(person.app.library, {})]

    (said,) = problems("no price")
    assert "cannot be kept: the interview 'talk' names no price; give [price]" in said
    assert problems("priced", top=PRICE) == []
    assert problems("fixed", mode="fixed") == []


def test_a_price_changes_no_question_and_so_not_the_version_of_the_prompt():
    plan = plan_text(mode="probing", minutes=9, max_turns=9, probes=1, must="true")
    assert read_plan(f"{PRICE}\n{plan}", "a").prompt_version == read_plan(plan, "b").prompt_version
    with pytest.raises(ProblemsFound, match=r"price\.input_usd"):
        read_plan(f"price = {{ input_usd = -1, output_usd = 1 }}\n{plan}", "c")


def asked(serving, environment=None, **plan):
    given = {"mode": "probing", "minutes": 9, "max_turns": 9, "probes": 1, "must": "true"} | plan
    read = read_plan(f'model = "{MODEL}"\neffort = "max"\n{plan_text(**given)}', "talk.toml")
    return check_provider({}, environment or serving.environment, None, "study.toml", {"talk.toml": read})


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ({}, f"talk.toml: model: the provider knows no model '{MODEL}'; correct its name"),
        ({MODEL: described(lifecycle="retired", retires_at="2026-01-01T00:00:00Z")}, "talk.toml: model: "),
        ({MODEL: described(max_tokens=100)}, "talk.toml: max_tokens: 1200 is over what"),
    ],
)
def test_the_provider_is_asked_about_an_interviews_model_as_about_an_assistants(models, said):
    serving = FakeProvider(models)
    try:
        (problem,) = asked(serving).problems
        assert str(problem).startswith(said)
        assert asked(serving, mode="fixed").problems == []
        assert asked(serving, {"ANTHROPIC_BASE_URL": serving.url}).problems == []
    finally:
        serving.close()


def test_a_model_that_is_served_is_named_with_the_plan():
    serving = FakeProvider()
    try:
        assert asked(serving).models["interview talk"].summary == f"Sonnet ({MODEL}, active)"
    finally:
        serving.close()
