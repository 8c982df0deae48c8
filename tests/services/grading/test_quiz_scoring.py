"""Quiz answers get their points in the background, each once, and never lose what was answered meanwhile."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
from support.trials.console_trial import Trial, given_to
from support.trials.scripted_runs import Scripted, ended

from study_app.domain.errors import NotAllowed, SandboxUnavailable
from study_app.domain.quiz.keys import CodeKey
from study_app.domain.records import Answer
from study_app.domain.tasks.programs import Isolation, RunResult
from study_app.services.grading.evidence import REPEATS
from study_app.services.grading.giving_up import HEALTHY, MOST_TRIES
from study_app.services.researcher.exporting.export import export


def to_quiz(trial: Trial) -> str:
    who = trial.enter()
    trial.to_tasks(who)
    for _ in range(2):
        trial.app.submitting.submit(who, "print(1)\n", confirm=True)
        trial.clock.advance(minutes=6)
    trial.app.session.begin_stage(who, "quiz")
    return who


def answered(trial: Trial, who: str) -> list[Answer]:
    with trial.app.context.registry.begin(write=False) as unit:
        return [answer for answer in unit.answers(who) if answer.bank]


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path, launched=True)
    made.app.context.sandbox = Scripted()
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
    chosen = response or given_to(choice, "")
    kept = Answer(who, "quiz", item or choice.id, chosen, bank="trio", max_points=1.0, saved_at=trial.clock.now())
    with trial.app.context.registry.begin() as unit:
        unit.save_answer(kept)
    return kept


def test_an_answer_that_changed_while_it_was_scored_keeps_its_text_and_gets_no_points(trial):
    who = to_quiz(trial)
    before = draft(trial, who)
    with trial.app.context.registry.begin() as unit:
        unit.save_answer(replace(before, response="another"))
        assert not unit.set_points(replace(before, points=1.0, scored_by="key"))
    (after,) = answered(trial, who)
    assert (after.response, after.points) == ("another", None)


def test_one_answer_that_cannot_be_scored_does_not_keep_the_others_waiting(trial):
    who = to_quiz(trial)
    draft(trial, who)
    draft(trial, who, item="gone", response=1)
    assert trial.app.scoring.score_pending() == 1
    assert {answer.item: answer.points is None for answer in answered(trial, who)}["gone"]


# -- answers that a run of code scores ---------------------------------------------------------------------------------


@pytest.fixture
def code_answer(trial):
    """Hands in the reference answer to the quiz's item of code; gives the participant and runs that it passes by."""
    who = to_quiz(trial)
    app = trial.app
    bank, keys = app.context.content.bank("quizzes/trio"), app.context.content.keys("quizzes/trio")
    item = next(item for item in bank.items if isinstance(keys[item.id], CodeKey) and keys[item.id].checks)
    with app.context.registry.begin() as unit:
        kept = Answer(who, "quiz", item.id, keys[item.id].solution, bank="trio", saved_at=trial.clock.now())
        unit.save_answer(kept)
    return who, [ended("exit", check.expected) for check in keys[item.id].checks]


def stored(trial: Trial, who: str) -> Answer:
    (answer,) = answered(trial, who)
    return answer


def scored(trial: Trial, *runs: RunResult | Exception) -> Scripted:
    trial.app.context.sandbox = sandbox = Scripted(*runs)
    trial.app.scoring.score_pending()
    return sandbox


def test_a_run_that_the_wall_limit_ends_once_is_repeated_alone_and_scored(trial, code_answer):
    who, right = code_answer
    sandbox = scored(trial, ended("time", seconds=10), *right)
    answer = stored(trial, who)
    assert (answer.points, answer.scored_by, answer.repeats) == (answer.max_points, "key", 1)
    first, again = sandbox.asked[:2]
    assert again.controlled
    assert again.limits.wall_seconds > first.limits.wall_seconds


@pytest.mark.parametrize("lag", [None, 30.0])
def test_runs_that_the_wall_limit_always_ends_leave_the_answer_empty_with_a_reason(trial, code_answer, lag):
    who, _ = code_answer
    scored(trial, ended("time", seconds=60, lag=lag))
    answer = stored(trial, who)
    assert (answer.points, answer.scored_by, answer.repeats) == (None, "inconclusive", REPEATS)
    assert "control" in (answer.scoring_reason or "")
    assert not scored(trial).asked, "it waits for a person"
    assert trial.app.scoring.inconclusive() == [answer]


class OnlyHealthy(Scripted):
    """A sandbox that runs the program which shows that it is well, and no other."""

    def run(self, program, *args, **kwargs):
        if program.code == HEALTHY:
            return ended("exit", "healthy\n")
        raise SandboxUnavailable("the runner ended without a word")


@pytest.mark.parametrize(
    "sandbox", [OnlyHealthy(), Scripted(SandboxUnavailable("no fork server"))], ids=["well", "down"]
)
def test_an_answer_whose_checks_cannot_be_run_while_other_programs_can_waits_for_a_person(trial, code_answer, sandbox):
    who, right = code_answer
    trial.app.context.sandbox = sandbox
    for _ in range(MOST_TRIES):
        assert stored(trial, who).scored_by is None
        trial.clock.advance(minutes=3)
        trial.app.scoring.score_pending()
    answer = stored(trial, who)
    if not isinstance(sandbox, OnlyHealthy):
        assert answer.scored_by is None
        return
    assert (answer.points, answer.scored_by) == (None, "inconclusive")
    assert "other programs ran" in answer.scoring_reason
    trial.app.scoring.retry(who, answer.stage, answer.item, "anna")
    scored(trial, *right)
    assert stored(trial, who).scored_by == "key"


def test_a_program_that_never_ends_on_a_machine_that_is_on_time_is_worth_nothing(trial, code_answer):
    who, _ = code_answer
    scored(trial, ended("time", seconds=60, lag=0.01))
    assert (stored(trial, who).points, stored(trial, who).scored_by) == (0.0, "key")


def test_an_inconclusive_answer_is_scored_when_a_person_asks_for_it(trial, code_answer):
    who, right = code_answer
    scored(trial, ended("time", lag=30.0))
    answer = stored(trial, who)
    trial.app.scoring.retry(who, answer.stage, answer.item, "anna")
    scored(trial, *right)
    assert stored(trial, who).points == stored(trial, who).max_points
    assert stored(trial, who).scoring_reason is None
    with pytest.raises(NotAllowed):
        trial.app.scoring.retry(who, answer.stage, answer.item, "anna")


def test_an_answer_whose_checks_could_not_run_is_tried_again(trial, code_answer):
    who, right = code_answer
    scored(trial, SandboxUnavailable("the fork server did not start"))
    assert (stored(trial, who).points, stored(trial, who).scored_by) == (None, None)
    scored(trial, *right)
    assert stored(trial, who).points == stored(trial, who).max_points


def test_no_answer_is_run_where_programs_are_isolated_less_than_the_study_asks(trial, code_answer):
    who, _ = code_answer
    weak = Scripted()
    weak.isolation = lambda: Isolation("weak", "Weak isolation (a stand-in).")
    trial.app.context.sandbox = weak
    trial.app.scoring.score_pending()
    assert not weak.asked
    assert stored(trial, who).points is None


def test_an_inconclusive_answer_is_missing_in_the_dataset_and_says_why(trial, code_answer, tmp_path):
    who, _ = code_answer
    scored(trial, ended("time", lag=30.0))
    export(trial.app.context, tmp_path / "data")
    path = next((tmp_path / "data" / "data").glob("*_description-answers_data.csv"))
    (row,) = [row for row in csv.DictReader(path.open(encoding="utf-8")) if row["bank"]]
    assert (row["points"], row["scored_by"]) == ("", "inconclusive")
    assert "control process" in row["scoring_reason"]
    people = next((tmp_path / "data" / "data").glob("*_description-participants_data.csv"))
    assert [person["quiz_points"] for person in csv.DictReader(people.open(encoding="utf-8"))] == [""]
