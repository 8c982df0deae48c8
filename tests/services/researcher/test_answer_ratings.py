"""Ratings of answers: blind, corrected by their own rater, and their disagreements settled with a reason."""

from __future__ import annotations

import pytest
from support.trials.console_trial import Trial
from support.trials.scripted_runs import Scripted

from study_app.domain.errors import NotAllowed
from study_app.services.researcher.judging.rating import RatingQueue


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    made = Trial(tmp_path_factory.mktemp("ratings"))
    made.app.context.sandbox = Scripted()
    for number in range(2):
        who = made.enter()
        made.to_tasks(who)
        made.finish(who, f"an answer of {number} that no key knows")
    made.app.scoring.score_pending()
    yield made
    made.close()


@pytest.fixture
def ratings(trial) -> RatingQueue:
    """Each test begins without ratings."""
    from sqlalchemy import text

    with trial.app.context.registry.begin() as unit:
        unit.connection.execute(text("DELETE FROM ratings"))
    return RatingQueue(trial.app.context)


def most(view) -> dict[str, float]:
    return {name: points for name, _, points in view.criteria}


def least(view) -> dict[str, float]:
    return dict.fromkeys(most(view), 0.0)


def points(trial, name: str) -> float | None:
    _, who, stage, item = name.split(":")
    with trial.app.context.registry.begin(write=False) as unit:
        return next(a.points for a in unit.answers(who) if (a.stage, a.item) == (stage, item))


def test_a_rater_may_correct_an_own_rating_and_both_are_kept(trial, ratings):
    view = ratings.answers_for("eva", "preview")[0]
    ratings.rate("eva", view.object, least(view))
    (own,) = ratings.own("eva", "preview")
    assert own.awarded == least(view)
    assert ratings.rate("eva", view.object, most(view)) == points(trial, view.object) > 0
    assert [each.awarded for each in ratings.own("eva", "preview")] == [most(view)]
    with trial.app.context.registry.begin(write=False) as unit:
        assert len([r for r in unit.ratings() if r.object == view.object]) == 2
    assert ratings.own("finn", "preview") == []


def test_a_disagreement_is_settled_with_a_reason_and_gives_the_points(trial, ratings):
    view = ratings.answers_for("eva", "preview")[0]
    ratings.rate("eva", view.object, least(view))
    ratings.rate("finn", view.object, most(view))
    top = sum(most(view).values())
    assert points(trial, view.object) == pytest.approx(top / 2)
    for viewer in ("eva", "finn", "anna"):
        (dispute,) = ratings.disputes(viewer, "preview")
        assert sorted(map(str, dispute.ratings)) == sorted(map(str, (least(view), most(view))))
        assert dispute.answer.object == view.object
    with pytest.raises(NotAllowed, match="reason"):
        ratings.settle("anna", view.object, most(view), "  ")
    ratings.settle("anna", view.object, most(view), "names the nursery")
    assert points(trial, view.object) == pytest.approx(top)
    assert ratings.disputes("anna", "preview") == []
    with pytest.raises(NotAllowed, match="nothing to settle"):
        ratings.settle("anna", view.object, least(view), "again")
    with trial.app.context.registry.begin(write=False) as unit:
        entry = unit.audit()[-1]
        (reason,) = (each for each in unit.ratings() if each.value == "names the nursery")
    assert (entry.who, entry.what, entry.why) == ("anna", "adjudicate", "")
    assert entry.detail["reason"] == reason.rating_id
    with pytest.raises(NotAllowed, match="settled"):
        ratings.rate("eva", view.object, most(view))
    assert points(trial, view.object) == pytest.approx(top), "what was settled stays"


def test_a_rater_sees_no_disagreement_on_what_they_have_not_rated(ratings):
    views = ratings.answers_for("eva", "preview")
    ratings.rate("eva", views[0].object, least(views[0]))
    ratings.rate("finn", views[0].object, most(views[0]))
    ratings.rate("gus", views[1].object, least(views[1]))
    assert ratings.disputes("gus", "preview") == []


def test_who_has_settled_is_not_handed_what_others_disagree_on(ratings):
    first, second = ratings.answers_for("eva", "preview")[:2]
    for view in (first, second):
        ratings.rate("eva", view.object, least(view))
        ratings.rate("finn", view.object, most(view))
    ratings.settle("anna", first.object, most(first), "clear")
    handed = {view.object for view in ratings.answers_for("anna", "preview")}
    assert not handed & {first.object, second.object}


def test_who_has_seen_what_others_gave_neither_rates_nor_corrects(trial, ratings):
    first = ratings.answers_for("eva", "preview")[0].object
    view = next(each for each in ratings.answers_for("eva", "preview") if each.object == first)
    ratings.rate("eva", first, least(view))
    ratings.rate("ida", first, most(view))
    for viewer in ("hugo", "ida"):
        ratings.look(viewer, first)
        ratings.look(viewer, first)
        assert first not in {each.object for each in ratings.answers_for(viewer, "preview")}
        with pytest.raises(NotAllowed, match="seen what others gave"):
            ratings.rate(viewer, first, least(view))
    ratings.rate("eva", first, dict.fromkeys(least(view), 0.5))
    with trial.app.context.registry.begin(write=False) as unit:
        assert [entry.who for entry in unit.audit_of(("saw judgements",))] == ["hugo", "ida"]
    ratings.settle("hugo", first, most(view), "clear")


@pytest.mark.parametrize("name", ["adjudicated", "claude", "rules"])
def test_nobody_rates_under_a_name_that_stands_for_a_decision_or_a_program(ratings, name):
    view = ratings.answers_for("eva", "preview")[0]
    with pytest.raises(NotAllowed):
        ratings.rate(name, view.object, least(view))


def test_a_view_tells_neither_participant_nor_others_ratings(trial, ratings):
    view = ratings.answers_for("eva", "preview")[0]
    assert set(vars(view)) == {"object", "item", "response", "criteria", "accepted", "why", "raters", "source"}


@pytest.mark.slow
def test_the_console_gets_the_agreement_that_the_analysis_computes(trial, ratings):
    from study_app.services.researcher.statistics import section

    for view in ratings.answers_for("eva", "preview"):
        ratings.rate("eva", view.object, least(view))
        ratings.rate("finn", view.object, most(view))
    found = section(trial.app.context, {"PATH": "/usr/bin:/bin"}, "agreement", "preview")
    assert found["points"]["raters"] == 2
    assert found["points"]["percent_agreement"] == 0


def test_graders_see_where_a_question_comes_from_and_why_its_key_is_right(trial, ratings):
    content = trial.app.context.content
    bank, keys = content.bank("quizzes/trio"), content.keys("quizzes/trio")
    views = ratings.answers_for("eva", "preview")
    assert views
    for view in views:
        assert view.source.startswith(f"{bank.title}, version {bank.version} · ")
        assert view.source.endswith(bank.concepts[view.item.concept])
        assert view.why == keys[view.item.id].why
    assert any(view.why for view in views)
