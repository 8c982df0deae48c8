"""Budgets stop an assistant before they are overdrawn."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from study_app.domain.assistants.budget import (
    ESTIMATED_INPUT,
    ESTIMATED_OUTPUT,
    SMALLEST_REPLY,
    Allowance,
    Usage,
    allowance,
    cost_usd,
    cut_reply,
    estimated_tokens,
    total,
    turn_usage,
    within_study_cost,
)
from study_app.domain.assistants.treatments import (
    AssistantLimits,
    AssistantSpec,
    Parameters,
    Price,
    ReplyEnd,
    ReplySoFar,
    StudyLimits,
)

PRICE = Price(input_usd=2, output_usd=10)


def spec(limits=None, study=None, longest=1000, opens=0):
    return AssistantSpec(
        id="full",
        version="1",
        label="A",
        prompt="Help.",
        price=PRICE,
        parameters=Parameters(max_tokens=longest),
        limits=AssistantLimits(**(limits or {})),
        study_limits=StudyLimits(**(study or {})),
        opens_after_minutes=opens,
    )


def test_without_limits_a_reply_may_be_as_long_as_the_treatment_says():
    assert allowance(spec(), Usage(10**6, 10**9, 10**9, 10**6, 10**6)).max_output_tokens == 1000


@pytest.mark.parametrize(
    ("limits", "study", "used", "reason"),
    [
        ({"turns": 3}, {}, Usage(turns=3), "turns"),
        ({"output_tokens": 500}, {}, Usage(output_tokens=480), "output_tokens"),
        ({"cost_usd": 1}, {}, Usage(cost_usd=1.2), "cost"),
        ({}, {"output_tokens": 500}, Usage(output_tokens=500), "study_output_tokens"),
        ({}, {"cost_usd": 1}, Usage(cost_usd=0.9999), "study_cost"),
    ],
)
def test_each_limit_refuses_by_its_name(limits, study, used, reason):
    answer = allowance(spec(limits, study), used, used)
    assert (answer.ok, answer.reason, answer.message_key) == (False, reason, f"assistant.limit.{reason}")


def test_what_is_left_shortens_the_reply():
    assert allowance(spec({"output_tokens": 500}), Usage(output_tokens=300)).max_output_tokens == 200
    assert allowance(spec({"cost_usd": 1}), Usage(cost_usd=0.995)).max_output_tokens == 500
    both = spec({"output_tokens": 500}, {"output_tokens": 1100})
    assert allowance(both, Usage(), Usage(output_tokens=1000)).max_output_tokens == 100


def test_a_treatment_of_short_replies_is_not_refused_for_their_shortness():
    assert allowance(spec({"output_tokens": 40}, longest=20), Usage(output_tokens=20)).ok


def test_before_it_opens_the_wait_is_told():
    delayed = spec(opens=10)
    early = allowance(delayed, Usage(), worked_minutes=7.5)
    assert (early.ok, early.reason, early.wait_minutes) == (False, "not_open_yet", 2.5)
    assert early.message_key == "assistant.limit.not_open_yet"
    assert allowance(delayed, Usage(), worked_minutes=10).ok
    assert allowance(delayed, Usage()).ok


def test_it_closes_so_many_minutes_after_it_opened():
    gated = spec({"minutes": 5}, opens=10)
    assert allowance(gated, Usage(minutes=60), worked_minutes=14.9).ok
    assert allowance(gated, Usage(), worked_minutes=15).reason == "minutes"


def test_a_turn_costs_what_the_price_says():
    turn = turn_usage(spec(), input_tokens=1_000_000, output_tokens=100_000, seconds=30)
    assert turn == Usage(1, 1_000_000, 100_000, 0.5, 3.0)
    assert cost_usd(None, 5, 5) == 0
    assert total([turn, turn]).cost_usd == 6.0
    assert (estimated_tokens(""), estimated_tokens("abcd")) == (0, 2)


ASKED = ReplyEnd("claude", "1", parameters={"max_tokens": 9})


def end(read: int | None, made: int | None) -> ReplyEnd:
    return ReplyEnd("claude", "1", read, made, "broken_off", {"max_tokens": 9})


@pytest.mark.parametrize(
    ("so_far", "said", "by_us", "tokens", "estimated"),
    [
        # What the provider said counts, and of that what its failure says before what it said as it began.
        (ReplySoFar(ASKED, 8, end(5, 7), 8), None, True, (5, 7), set()),
        (ReplySoFar(ASKED, 8, end(5, 7), 8), end(6, 8), False, (6, 8), set()),
        # It said only what it had read: what came is counted by its characters.
        (ReplySoFar(ASKED, 8, end(5, None), 8), None, False, (5, 3), {ESTIMATED_OUTPUT}),
        (ReplySoFar(ASKED, 8, end(0, None), 0), None, False, (0, 0), {ESTIMATED_OUTPUT}),
        # Nothing is known to have been read.
        (ReplySoFar(ASKED, 8, end(None, None), 8), None, True, (None, None), set()),
        (ReplySoFar(ASKED, 8), None, True, (3, 0), {ESTIMATED_INPUT, ESTIMATED_OUTPUT}),
    ],
)
def test_a_cut_reply_has_used_what_was_said_of_it_and_else_what_its_characters_say(
    so_far, said, by_us, tokens, estimated
):
    found = cut_reply(so_far, said, by_us=by_us)
    assert (found.input_tokens, found.output_tokens) == tokens
    assert set(found.parameters) == {"max_tokens"} | estimated


def test_a_reply_that_failed_before_it_began_has_used_nothing_unless_we_cut_it():
    assert cut_reply(ReplySoFar(ASKED, 8)) is None
    assert cut_reply(ReplySoFar(), by_us=True) is None


limit = st.none() | st.integers(1, 5000)


@given(limit, limit, st.none() | st.integers(1, 20), st.lists(st.integers(0, 1000), max_size=40))
@settings(deadline=None)
def test_whatever_is_asked_no_output_limit_is_ever_passed(own, of_study, turns, lengths):
    treatment = spec({"output_tokens": own, "turns": turns}, {"output_tokens": of_study})
    used = Usage()
    for length in lengths:
        answer = allowance(treatment, used, used)
        assert answer.ok == (answer.reason == "")
        if not answer.ok:
            break
        assert answer.max_output_tokens >= 1
        spoken = min(length, answer.max_output_tokens)
        used = used + turn_usage(treatment, input_tokens=10, output_tokens=spoken, seconds=1)
    assert own is None or used.output_tokens <= own
    assert of_study is None or used.output_tokens <= of_study
    assert turns is None or used.turns <= turns


@given(st.floats(0.001, 5), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 1000)), max_size=40))
@settings(deadline=None)
def test_money_is_passed_by_at_most_the_input_of_one_message(most, turns):
    treatment = spec({"cost_usd": most})
    used = Usage()
    for sent, length in turns:
        answer = allowance(treatment, used)
        if not answer.ok:
            break
        spoken = min(length, answer.max_output_tokens)
        used = used + turn_usage(treatment, input_tokens=sent, output_tokens=spoken, seconds=1)
    assert used.cost_usd <= most + cost_usd(PRICE, 5000, 0) + 1e-9


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_who_has_used_more_may_never_do_more(less, more):
    less, more = sorted((less, more))
    treatment = spec({"output_tokens": 2000, "cost_usd": 0.02})
    before = allowance(treatment, Usage(output_tokens=less, cost_usd=less / 1e5))
    after = allowance(treatment, Usage(output_tokens=more, cost_usd=more / 1e5))
    assert before.max_output_tokens >= after.max_output_tokens
    assert before.ok >= after.ok
    assert not after.ok or after.max_output_tokens >= SMALLEST_REPLY


def test_the_studys_own_limit_counts_all_participants_and_shortens_the_last_reply():
    allowed = Allowance(True, max_output_tokens=1500)
    price = Price(input_usd=2, output_usd=10)
    assert within_study_cost(allowed, price, 99.0, None) == allowed
    enough = within_study_cost(allowed, price, 0.0, 1.0)
    assert (enough.ok, enough.max_output_tokens, enough.left.usd) == (True, 1500, 1.0)
    assert within_study_cost(allowed, price, 0.99, 1.0).max_output_tokens == 1000
    for spent in (1.0, 0.9999, 2.0):
        refused = within_study_cost(allowed, price, spent, 1.0)
        assert (refused.ok, refused.message_key) == (False, "assistant.limit.study_cost")
