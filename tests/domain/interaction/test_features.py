"""Features of use: what of a participant's steps each number counts, by task and over all of them."""

from __future__ import annotations

from study_app.domain.interaction.features import PATTERN_FEATURES, Known, features_of
from study_app.domain.interaction.steps import UseStep


def done(*actions: str | tuple[str, ...], task: str = "sort") -> list[UseStep]:
    """Steps of one task; a tuple is a query with these labels."""
    return [
        UseStep(float(at), at, task, "query", None, action)
        if isinstance(action, tuple)
        else UseStep(float(at), at, task, action)
        for at, action in enumerate(actions)
    ]


def test_explanations_are_counted_before_and_after_the_first_query_for_code():
    explained, made = ("explanation",), ("generation",)
    steps = done("edit", explained, made, "paste", explained, (*made, *explained), explained)
    found = features_of(steps, Known(), logged=True)
    assert (found["explanation_before_generation"], found["explanation_after_generation"]) == (1, 3)
    assert (found["queries"], found["explanation"], found["generation_with_explanation"]) == (5, 4, 1)
    alone = features_of(done(explained, explained), Known(), logged=True)
    assert (alone["explanation_before_generation"], alone["explanation_after_generation"]) == (0, 0)


def test_edits_before_the_first_query_and_runs_after_the_last_are_summed_over_tasks_that_have_one():
    first = done("edit", "edit", ("generation",), "edit", "run", ("explanation",), "run", "run", "submission")
    second = done("edit", "run", "submission", task="filter")
    found = features_of([*first, *second], Known(), logged=True)
    assert (found["edits_before_first_query"], found["runs_between_query_and_submission"]) == (2, 2)
    assert found["queries_per_task"] == 1.0
    without = features_of(second, Known(), logged=True)
    assert (without["edits_before_first_query"], without["runs_between_query_and_submission"]) == (None, None)
    unlogged = features_of(first, Known(), logged=False)
    assert (unlogged["edits_before_first_query"], unlogged["runs_between_query_and_submission"]) == (None, None)


def test_an_error_is_with_help_where_the_next_decisive_step_asks():
    steps = done("error", "edit", ("debugging",), "error", "run", "error", "submission")
    found = features_of(steps, Known(), logged=True)
    assert (found["errors"], found["errors_with_help"], found["errors_alone"]) == (3, 1, 2)


def test_minutes_are_of_composing_and_waiting_and_unknown_waiting_stays_unknown():
    known = features_of([], Known(composing_seconds=90.0, waiting_seconds=30.0), logged=True)
    assert (known["interaction_minutes"], known["waiting_minutes"]) == (2.0, 0.5)
    unknown = features_of([], Known(composing_seconds=90.0), logged=True)
    assert (unknown["interaction_minutes"], unknown["waiting_minutes"]) == (1.5, None)
    assert (unknown["queries"], unknown["queries_per_task"]) == (0, 0.0)


def test_pastes_count_unless_the_source_knows_that_nothing_came_from_a_reply():
    steps = done("paste", "paste")
    assert features_of(steps, Known(), logged=True)["pastes"] == 2
    assert features_of(steps, Known(pasted_chars=1.0), logged=True)["pastes"] == 2
    assert features_of(steps, Known(pasted_chars=0.0), logged=True)["pastes"] == 0


def test_a_row_has_every_feature_in_order():
    assert tuple(features_of([], Known(), logged=True)) == PATTERN_FEATURES
