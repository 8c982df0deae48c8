"""What a turn has used: as the provider counted, and estimated where it never said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from study_app.domain.assistants.budget import Usage, allowance, total
from study_app.domain.assistants.treatments import AssistantLimits, AssistantSpec, Price
from study_app.domain.records import Turn
from study_app.services.operation.clock_watch import ClockAlert
from study_app.services.spending import usage

AT = datetime(2026, 1, 5, 9, 30, 15, tzinfo=UTC)
SPEC = AssistantSpec(
    id="full", version="1", label="Assistant", prompt="Help.", price=Price(input_usd=3.0, output_usd=15.0)
)
TURN = Turn(
    "t1", "p1", "sort", "claude", "full", "claude-sonnet-5-5", "v1", "How do I sort?", "Use sorted.", "x = 1\n", AT,
    total_seconds=90.0, input_tokens=1000, output_tokens=200, complete=True,
)  # fmt: skip


def test_reported_tokens_are_priced_as_the_treatment_says():
    found = usage(SPEC, TURN)
    assert (found.turns, found.input_tokens, found.output_tokens, found.minutes) == (1, 1000, 200, 1.5)
    assert found.cost_usd == pytest.approx((1000 * 3 + 200 * 15) / 1e6)
    assert usage(SPEC.model_copy(update={"price": None}), TURN).cost_usd == 0.0


def test_tokens_that_were_never_reported_are_estimated_from_the_texts():
    found = usage(SPEC, replace(TURN, input_tokens=None, output_tokens=None, total_seconds=None))
    # A token for each three characters that were begun: of instructions, message and program, and of the reply.
    assert found.input_tokens == -(-len("Help." + "How do I sort?" + "x = 1\n") // 3)
    assert found.output_tokens == -(-len("Use sorted.") // 3)
    assert found.minutes == 0.0


def test_a_reported_zero_is_a_zero():
    found = usage(SPEC, replace(TURN, input_tokens=0, output_tokens=0))
    assert (found.input_tokens, found.output_tokens, found.cost_usd) == (0, 0, 0.0)


@pytest.mark.parametrize("error", ["overloaded", "interrupted"])
def test_a_turn_that_failed_before_its_first_word_uses_up_nothing(error):
    failed = replace(TURN, error=error, reply="", input_tokens=None, output_tokens=None)
    limited = SPEC.model_copy(update={"limits": AssistantLimits(turns=1)})
    assert usage(SPEC, failed) == Usage()
    assert allowance(limited, total(usage(SPEC, failed) for _ in range(60))).ok
    # Words that came count, and so does what was counted, and a message that the model declined.
    for used in ({"reply": "Use"}, {"input_tokens": 1000}, {"error": "refused"}):
        assert not allowance(limited, usage(SPEC, replace(failed, **used))).ok


def test_what_the_provider_had_kept_is_cheaper_and_keeping_it_costs_more():
    kept = {"cache_written_tokens": 400, "cache_read_tokens": 500}
    found = usage(SPEC, replace(TURN, parameters=kept, output_tokens=0))
    assert found.cost_usd == pytest.approx((1000 + 0.25 * 400 - 0.9 * 500) * 3 / 1e6)
    assert found.input_tokens == 1000


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        (ClockAlert(AT, 61.4, "away"), "went ahead by 61 s at 09:30:15 UTC: the server goes on by its own count"),
        (ClockAlert(AT, -61.6, "back"), "went back by 62 s at 09:30:15 UTC: it came back by itself"),
        (ClockAlert(AT, 1.0, "taken"), "went ahead by 1 s at 09:30:15 UTC: it stood, so the deadlines"),
    ],
)
def test_a_step_of_the_clock_is_said_with_its_direction_and_what_became_of_it(alert, said):
    assert str(alert).startswith(f"the machine's clock {said}")
