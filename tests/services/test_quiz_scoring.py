"""Quiz answers get their points in the background, each once, and never lose what was answered meanwhile."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from console_trial import NoSandbox, Trial, given_to

from study_app.domain.participant import Answer
from study_app.domain.tasks import RunResult


class Scripted(NoSandbox):
    """Every program prints nothing."""

    def run(self, program, *args, **kwargs):
        return RunResult("", "", (), 0, "exit", 0.1, "strong", 1)


def to_quiz(trial: Trial) -> str:
    who = trial.enter()
    trial.to_tasks(who)
    for _ in range(2):
        trial.app.work.submit(who, "print(1)\n", confirm=True)
        trial.clock.advance(minutes=6)
    trial.app.session.begin_stage(who, "quiz")
    return who


def answered(trial: Trial, who: str) -> list[Answer]:
    with trial.app.world.registry.begin(write=False) as unit:
        return [answer for answer in unit.answers(who) if answer.bank]


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path, launched=True)
    made.app.world.sandbox = Scripted()
    yield made
    made.close()


def test_a_quiz_that_was_handed_in_is_scored_without_an_export(trial):
    who = to_quiz(trial)
    app = trial.app
    while (place := app.session.where(who)).participant.stage == "quiz":
        _, items, _ = app.answers.page(place)
        given = {item.id: given_to(item, "I do not know") for item in items}
        app.answers.submit_page(who, "quiz", place.participant.step, given)
        if place.participant.step == 0:
            assert app.scoring.score_handed_in() == 0, "the quiz is not over yet"
    assert app.scoring.score_handed_in() > 0
    waiting = [answer for answer in answered(trial, who) if answer.points is None]
    assert not waiting, "every item of the shipped quiz has a key"
    assert app.scoring.score_handed_in() == 0, "nothing is scored twice"


def draft(trial: Trial, who: str, item: str = "", response: str = "") -> Answer:
    """An answer of the page that is open, as the quiz keeps it."""
    _, items, _ = trial.app.answers.page(trial.app.session.where(who))
    choice = next(item for item in items if item.options)
    chosen = response or json.dumps(given_to(choice, ""))
    kept = Answer(who, "quiz", item or choice.id, chosen, bank="trio", max_points=1.0, saved_at=trial.clock.now())
    with trial.app.world.registry.begin() as unit:
        unit.save_answer(kept)
    return kept


def test_an_answer_that_changed_while_it_was_scored_keeps_its_text_and_gets_no_points(trial):
    who = to_quiz(trial)
    before = draft(trial, who)
    with trial.app.world.registry.begin() as unit:
        unit.save_answer(replace(before, response='"another"'))
        assert not unit.set_points(replace(before, points=1.0, scored_by="key"))
    (after,) = answered(trial, who)
    assert (after.response, after.points) == ('"another"', None)


def test_one_answer_that_cannot_be_scored_does_not_keep_the_others_waiting(trial):
    who = to_quiz(trial)
    draft(trial, who)
    draft(trial, who, item="gone", response="1")
    assert trial.app.scoring.score_pending() == 1
    assert {answer.item: answer.points is None for answer in answered(trial, who)}["gone"]
