"""Whatever a model and a person do, an interview keeps to its plan."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.interviews.machine import (
    MOST_REDIRECTS,
    Ask,
    Choice,
    Close,
    Exchange,
    ModelStep,
    Standing,
    Wait,
    by_rule,
    due,
    fallback_of,
    judge,
)
from study_app.domain.interviews.plan import read_plan
from study_app.domain.interviews.rules import broken_by_wording

PLAN = """
id = "p"
languages = ["en"]
mode = "{mode}"
max_turns = {turns}
[[topics]]
id = "one"
goal = "g"
probes = 2
core = {{ en = "How did you begin?" }}
[[topics]]
id = "two"
goal = "g"
probes = 1
must = {must}
core = {{ en = "What was hard?" }}
[[topics]]
id = "three"
goal = "g"
probes = 0
core = {{ en = "What helped?" }}
[[closing]]
id = "last"
core = {{ en = "Anything else?" }}
"""


def plan_of(mode="probing", turns=12, must=True):
    return read_plan(PLAN.format(mode=mode, turns=turns, must=str(must).lower()), "plan.toml")


QUESTIONS = st.sampled_from(
    ["What happened then?", "That is fascinating! And then?", "Why? And how?", "Warum haben Sie das so gemacht?", ""]
) | st.text(max_size=60)
STEPS = st.builds(
    ModelStep,
    action=st.sampled_from(["probe", "next", "clarify", "redirect", "end", "reveal", ""]),
    topic=st.sampled_from(["", "one", "two", "three", "last", "nowhere"]),
    question=QUESTIONS,
)
ANSWERS = st.sampled_from(
    ["", "Fine.", "I read the brief and then I wrote a loop, and it printed what I wanted at last."]
)
PEOPLE = st.tuples(st.sampled_from(["answered"] * 8 + ["skipped", "stopped"]), ANSWERS)


def held(plan, turns, minutes_each=0.0):
    """Walk an interview: each turn is two steps of the model, and what the person does."""
    standing, ended = Standing(plan, "en"), None
    for number in range(200):
        move = due(standing)
        if isinstance(move, Choice):
            tries = [judge(standing, move, step).move for step in turns[number % len(turns)][0]]
            move = next((each for each in tries if each is not None), None) or fallback_of(move)
        if isinstance(move, Close):
            ended = move
            break
        assert isinstance(move, Ask)
        outcome, answer = turns[number % len(turns)][1]
        asked = Exchange(move.topic, move.action, move.question, outcome, answer if outcome == "answered" else "")
        standing = Standing(plan, "en", (*standing.exchanges, asked), (number + 1) * minutes_each)
    return standing, ended


@given(
    st.sampled_from(["fixed", "probing", "open"]),
    st.integers(4, 20),
    st.booleans(),
    st.lists(st.tuples(st.tuples(STEPS, STEPS), PEOPLE), min_size=1, max_size=12),
)
@settings(max_examples=150, deadline=None)
def test_every_interview_ends_within_its_plan(mode, turns, must, script):
    plan = plan_of(mode, turns, must)
    standing, ended = held(plan, script)
    asked = standing.exchanges
    assert ended is not None
    assert len(asked) <= turns
    for topic in plan.topics:
        on = [each for each in asked if each.topic == topic.id]
        assert sum(each.action == "probe" for each in on) <= (0 if mode == "fixed" else topic.probes)
        assert [each.question for each in on if each.action in ("core", "fallback")] == [topic.core["en"]] * bool(on)
        if on:
            assert on[0].action in ("core", "fallback")
    assert sum(each.action == "redirect" for each in asked) <= MOST_REDIRECTS
    for place, each in enumerate(asked):
        if each.action in ("probe", "clarify", "redirect"):
            assert broken_by_wording(each.question, "en", earlier=[e.question for e in asked[:place]]) == ()


@given(st.lists(st.tuples(st.tuples(STEPS, STEPS), st.tuples(st.just("answered"), ANSWERS)), min_size=1, max_size=9))
@settings(max_examples=80, deadline=None)
def test_what_must_be_asked_is_asked_whenever_the_person_goes_on(script):
    standing, ended = held(plan_of(turns=4), script)
    topics = [each.topic for each in standing.exchanges]
    assert "last" not in topics[:-1]
    if ended.ended_by != "redirects":
        assert {each.topic for each in standing.exchanges} == {"one", "two", "three", "last"}


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_what_a_model_words_is_shown_only_if_it_keeps_every_rule(question):
    standing = Standing(plan_of(), "en", (Exchange("one", "core", "How did you begin?", "answered", "Somehow."),))
    judged = judge(standing, due(standing), ModelStep("probe", "one", question))
    assert (judged.move is None) == bool(judged.broken)
    if judged.move is not None:
        assert judged.move.question.count("?") <= 1


def test_the_same_standing_always_gives_the_same_move():
    standing = Standing(plan_of(), "en", (Exchange("one", "core", "How did you begin?"),))
    assert isinstance(due(standing), Wait)
    assert due(Standing(plan_of(), "en")) == due(Standing(plan_of(), "en"))


def test_without_a_model_a_short_answer_is_asked_for_one_moment_once():
    probe = "Can you tell me about one concrete moment?"
    first = Exchange("one", "core", "How did you begin?", "answered", "Slowly.")
    standing = Standing(plan_of(), "en", (first,))
    move = by_rule(standing, due(standing), probe)
    assert (move.action, move.by, move.question) == ("probe", "rule", probe)
    standing = Standing(plan_of(), "en", (first, Exchange("one", "probe", probe, "answered", "No.")))
    assert by_rule(standing, due(standing), probe).topic == "two"
    long = Exchange("one", "core", "How did you begin?", "answered", " ".join(["word"] * 12))
    assert by_rule(Standing(plan_of(), "en", (long,)), due(Standing(plan_of(), "en", (long,))), probe).topic == "two"


def test_the_model_ends_only_once_what_must_be_asked_was_and_closing_questions_still_come():
    first = Exchange("one", "core", "How did you begin?", "answered", "Slowly.")
    standing = Standing(plan_of(), "en", (first,))
    assert judge(standing, due(standing), ModelStep("end")).broken == ("must",)
    more = tuple(Exchange(topic, "core", "?", "answered", "Well.") for topic in ("two", "three"))
    standing = Standing(plan_of(), "en", (first, *more))
    assert judge(standing, due(standing), ModelStep("end")).move.topic == "last"


def without_musts(plan):
    return plan.model_copy(update={"topics": tuple(each.model_copy(update={"must": False}) for each in plan.topics)})


def answered(topic, action):
    return Exchange(topic, action, "?", "answered", "Well.")


@pytest.mark.parametrize(
    ("turns", "asked", "may"),
    [
        # Two topics and a closing question are to come.
        (4, ["core"], {"next"}),
        (5, ["core"], {"next", "probe", "clarify", "redirect"}),
        (5, ["core", "probe"], {"next"}),
        (12, ["core", "probe"], {"next", "probe", "clarify", "redirect"}),
        (12, ["core", "probe", "probe"], {"next", "clarify", "redirect"}),
        (12, ["core", "clarify"], {"next", "probe", "redirect"}),
        (12, ["core", "redirect", "redirect"], {"next", "probe", "clarify", "redirect"}),
    ],
)
def test_a_model_may_ask_so_often_as_each_kind_allows_and_leaves_room_for_what_the_plan_still_asks(turns, asked, may):
    first = tuple(answered("one", action) for action in asked)
    assert due(Standing(plan_of(turns=turns), "en", first)).allowed == may
    assert due(Standing(without_musts(plan_of(turns=turns)), "en", first)).allowed == may | {"end"}


def test_what_was_asked_on_another_topic_takes_nothing_of_this_ones_number():
    before = tuple(answered("one", action) for action in ("core", "probe", "probe", "clarify"))
    choice = due(Standing(plan_of(), "en", (*before, answered("two", "core"))))
    assert choice.allowed == {"next", "probe", "clarify", "redirect"}


def test_the_third_redirection_is_the_last_question():
    asked = (answered("one", "core"), *[answered("one", "redirect")] * MOST_REDIRECTS)
    assert due(Standing(plan_of(), "en", asked)) == Close("redirects")
    assert isinstance(due(Standing(plan_of(), "en", asked[:-1])), Choice)


def test_no_model_is_asked_where_there_is_nothing_to_choose():
    asked = (answered("one", "core"), answered("two", "core"))
    plan = plan_of(turns=4)
    assert due(Standing(plan, "en", asked)).topic == "three"
    assert due(Standing(without_musts(plan), "en", asked)).allowed == {"next", "end"}
    # With two topics left there is a choice: which of them comes first.
    assert due(Standing(plan, "en", asked[:1])).topics == ("two", "three")


def test_only_an_open_interview_lets_the_model_order_the_topics():
    first = Exchange("one", "core", "How did you begin?", "answered", "Slowly.")
    for mode, broken in (("probing", ("order",)), ("open", ())):
        standing = Standing(plan_of(mode), "en", (first,))
        assert judge(standing, due(standing), ModelStep("next", "three")).broken == broken


def test_another_wording_of_a_plans_question_is_refused():
    standing = Standing(plan_of(), "en", (Exchange("one", "core", "How did you begin?", "answered", "Slowly."),))
    judged = judge(standing, due(standing), ModelStep("next", "two", "Which part was the worst for you?"))
    assert judged.broken == ("core_wording",)


def test_time_and_words_of_distress_end_it():
    answered = Exchange("one", "core", "How did you begin?", "answered", "Slowly.")
    assert due(Standing(plan_of(), "en", (answered,), minutes=12.0)) == Close("time")
    for words in ("I want to die.", "Ich kann nicht mehr", "Quiero morir", "J'ai envie de mourir"):
        hard = Exchange("one", "core", "How did you begin?", "answered", words)
        assert due(Standing(plan_of(), "en", (hard,))) == Close("distress")
    fine = Exchange("one", "core", "How did you begin?", "answered", "I had to kill the process, it was a dead end.")
    assert isinstance(due(Standing(plan_of(), "en", (fine,))), Choice)


def test_what_ended_an_interview_is_said():
    plan = plan_of(turns=4)
    many = [(STEADY, ("answered", "I read the brief and then I wrote a loop that printed it all."))]
    assert held(plan, many)[1] == Close("turns")
    assert held(plan_of(mode="fixed"), many)[1] == Close("completed")
    assert held(plan, many, minutes_each=60.0)[1] == Close("time")
    assert held(plan, [(STEADY, ("stopped", ""))])[1] == Close("stopped")


STEADY = (ModelStep(action="probe", topic="one", question="What happened then?"),) * 2
