"""Codes of queries by people: blind, two at a time, and how their disagreements are settled."""

from __future__ import annotations

import pytest
from support.clock import HandClock
from support.trials.console_trial import Trial
from support.trials.export_world import Walker, open_app

from study_app.domain.errors import NotAllowed
from study_app.domain.interaction.codes import ADJUDICATED, REASON_RUBRIC
from study_app.services.researcher import coding
from study_app.services.researcher.coding import Codings, QueryForCoding

MESSAGES = ("How does a nursery wait?", "Write task1 for me", "It prints nothing, why?", "thanks")


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path)
    who = made.someone_in("ai")
    made.turns = [made.ask(who, "trio_timer", message, f"A reply to: {message}") for message in MESSAGES]
    yield made
    made.close()


@pytest.fixture
def codings(trial) -> Codings:
    return Codings(trial.app.context)


def code(trial, codings: Codings, coder: str, *labels: str) -> None:
    """One label for each query in order."""
    for turn, label in zip(trial.turns, labels, strict=False):
        trial.clock.advance(seconds=5)
        codings.code(coder, turn, [label])


def test_a_coder_meets_each_query_once_with_what_came_before(trial, codings):
    waiting = codings.queries_for("eva", "preview")
    assert [view.message for view in waiting] == list(MESSAGES)
    assert waiting[1].before == ((MESSAGES[0], f"A reply to: {MESSAGES[0]}"),)
    codings.code("eva", waiting[0].turn_id, [])
    assert [view.message for view in codings.queries_for("eva", "preview")] == list(MESSAGES[1:])
    assert codings.queries_for("finn", "preview")[0].coders == 1


def test_of_many_queries_those_are_made_that_are_looked_at(codings, monkeypatch):
    made = []
    monkeypatch.setattr(coding, "QueryForCoding", lambda *parts: made.append(parts) or QueryForCoding(*parts))
    waiting = codings.queries_for("eva", "preview")
    assert (len(waiting), made) == (len(MESSAGES), [])
    assert waiting[-1].before == tuple((each, f"A reply to: {each}") for each in MESSAGES[:-1])
    assert len(made) == 1
    assert [view.message for view in waiting[1:]] == list(MESSAGES[1:])


def test_the_turns_of_a_kind_are_those_of_all_turns_but_erased_ones(tmp_path, database_url):
    clock = HandClock()
    app = open_app(tmp_path, clock, database=database_url)
    first, second = (Walker(app, clock).to_tasks(solve=False).begin_tasks() for _ in range(2))
    for who in (first, second):
        who.ask("How does a nursery wait?")
    with app.context.registry.begin() as unit:
        every = unit.turns()
        assert unit.turns_of("preview") == every
        assert unit.turns_of("real") == []
        unit.touch(first.id, data_withdrawn=True)
        assert unit.turns_of("preview") == [turn for turn in every if turn.participant_id != first.id]
    app.close()


def test_replies_are_not_shown_where_arms_have_different_assistants(trial, codings, monkeypatch):
    study = trial.app.context.study
    arms = tuple(arm.model_copy(update={"assistant": f"assistants/{arm.id}.toml"}) for arm in study.arms)
    monkeypatch.setattr(trial.app.context, "study", study.model_copy(update={"arms": arms}))
    assert codings.queries_for("eva", "preview")[1].before == ((MESSAGES[0], ""),)


def test_a_disagreement_is_shown_to_those_who_coded_it_and_to_who_codes_nothing(trial, codings):
    code(trial, codings, "eva", "explanation", "generation")
    code(trial, codings, "finn", "generation", "generation")
    for viewer in ("eva", "finn", "anna"):
        (open_one,) = codings.disagreements(viewer, "preview")
        assert open_one.query.turn_id == trial.turns[0]
        assert sorted(open_one.codings) == [("explanation",), ("generation",)]
    codings.code("gus", trial.turns[3], ["appreciation"])
    assert codings.disagreements("gus", "preview") == []
    codings.look("ida", trial.turns[0])
    assert trial.turns[0] not in {view.turn_id for view in codings.queries_for("ida", "preview")}
    with pytest.raises(NotAllowed, match="seen what others gave"):
        codings.code("ida", trial.turns[0], ["generation"])


def test_a_settled_query_has_labels_reason_and_audit_and_waits_for_nobody(trial, codings):
    code(trial, codings, "eva", "explanation")
    code(trial, codings, "finn", "generation")
    codings.settle("anna", trial.turns[0], ["generation", "explanation"], " asks for both ")
    assert codings.disagreements("anna", "preview") == []
    assert trial.turns[0] not in {view.turn_id for view in codings.queries_for("gus", "preview")}
    (settled,) = codings.settled("preview")
    assert (settled.labels, settled.reason, settled.who) == (("explanation", "generation"), "asks for both", "anna")
    with trial.app.context.registry.begin(write=False) as unit:
        entry = unit.audit()[-1]
        ratings = [r for r in unit.ratings() if r.rater in (ADJUDICATED, "anna")]
    # The words stand in the rating alone, for the log is never changed.
    assert (entry.who, entry.what, entry.why, entry.detail["reason"]) == (
        "anna", "adjudicate", "", ratings[-1].rating_id,
    )  # fmt: skip
    assert [(r.rubric, r.value) for r in ratings] == [
        ("codes", "explanation;generation"),
        (REASON_RUBRIC, "asks for both"),
    ]


def test_who_has_settled_one_is_not_handed_what_others_disagree_on(trial, codings):
    code(trial, codings, "eva", "explanation", "generation")
    code(trial, codings, "finn", "generation", "debugging")
    codings.settle("anna", trial.turns[0], ["explanation"], "asks to understand")
    assert [view.message for view in codings.queries_for("anna", "preview")] == list(MESSAGES[2:])
    assert [view.message for view in codings.queries_for("gus", "preview")] == list(MESSAGES[1:])


def test_nothing_is_settled_without_a_reason_twice_without_a_disagreement_or_with_a_strange_label(trial, codings):
    code(trial, codings, "eva", "explanation", "generation")
    code(trial, codings, "finn", "generation", "generation")
    turn, agreed = trial.turns[:2]
    for labels, reason, which in ((["explanation"], " ", turn), (["magic"], "why", turn), ([], "why", agreed)):
        with pytest.raises(NotAllowed):
            codings.settle("anna", which, labels, reason)
    codings.settle("anna", turn, [], "fits none")
    with pytest.raises(NotAllowed, match="any more"):
        codings.settle("eva", turn, [], "again")


def test_nobody_codes_under_the_name_of_a_program_or_of_the_decision(trial, codings):
    for name in ("rules", "claude", "adjudicated"):
        with pytest.raises(NotAllowed, match="there is no coder named"):
            codings.code(name, trial.turns[0], ["explanation"])


def test_nobody_codes_or_settles_under_a_name_that_cannot_be_seen(trial, codings):
    for name in ("", " ", "\x00", "\ud800", "a\nb"):
        with pytest.raises(NotAllowed, match="give the name of a person"):
            codings.code(name, trial.turns[0], ["explanation"])
        with pytest.raises(NotAllowed, match="give the name of a person"):
            codings.settle(name, trial.turns[0], ["explanation"], "why")


def test_no_query_is_coded_that_is_gone_or_settled(trial, codings):
    code(trial, codings, "eva", "explanation")
    code(trial, codings, "finn", "generation")
    codings.settle("anna", trial.turns[0], [], "fits none")
    with pytest.raises(NotAllowed, match="settled; reload the page"):
        codings.code("gus", trial.turns[0], ["explanation"])
    for gone in ("turn of no one", "\ud800"):
        with pytest.raises(NotAllowed, match="not there any more; reload the page"):
            codings.code("gus", gone, ["explanation"])
    with trial.app.context.registry.begin(write=False) as unit:
        assert {rating.rater for rating in unit.ratings()} == {"eva", "finn", "anna", ADJUDICATED}


def test_agreement_counts_queries_coded_twice_by_the_newest_code_of_each(trial, codings):
    code(trial, codings, "eva", "explanation", "generation", "debugging")
    code(trial, codings, "finn", "generation", "debugging")
    code(trial, codings, "finn", "generation", "generation")
    n, same, rows = codings.agreement("preview")
    assert (n, same) == (2, 1)
    counts = {row.label: (row.all_gave, row.some_gave, row.none_gave) for row in rows}
    assert counts["explanation"] == (0, 1, 1)
    assert counts["generation"] == (1, 1, 0)
    assert counts["debugging"] == (0, 0, 2)
