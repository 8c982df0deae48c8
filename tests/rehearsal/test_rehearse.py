"""Rehearsed trials: the people of both levels are the same, results repeat, mistakes are said before any trial."""

from __future__ import annotations

import json
import math
from statistics import mean, stdev

import pytest
from support.trials.contradictions import SCALE, score
from support.trials.contradictions import asked as questions
from support.trials.quiz_study import keyed_bank
from support.trials.quiz_study import written as study_of
from support.trials.simulations import ROOT, run

from study_app.content.study_file import read_study
from study_app.domain.errors import ProblemsFound, UserError
from study_app.domain.study.rehearsal.section import NULL, Scenario
from study_app.rehearsal import rehearse
from study_app.rehearsal.drawn_people import draw_people, mean_truth
from study_app.rehearsal.trials import TrialJob, drawn_dataset, play
from study_app.settings import Settings
from study_app.simulation import open_for_simulation, seed_of_people
from study_app.simulation.cached_sandbox import Memory

STUDY = ROOT / "study.toml"
PLANNED = Scenario(id="planned", effect_score=-4.0, effect_minutes=-3.0)


def opened(folder, study=STUDY, seed=7):
    return open_for_simulation(Settings(study, f"sqlite:///{folder}/s.db", folder / "var", environment={}), seed)


def own_study(folder, more, **changes):
    """The shipped study in a separate folder, with a [rehearsal] table."""
    text = STUDY.read_text(encoding="utf-8")
    for name in ("tasks/", "quizzes/", "assistants/"):
        text = text.replace(f'"{name}', f'"{ROOT}/{name}')
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "study.toml"
    path.write_text(f"{text}\n{more}\n", encoding="utf-8")
    return path


@pytest.mark.slow
def test_people_drawn_have_the_points_of_the_people_who_live_through_the_study(tmp_path):
    lived, _ = run(tmp_path, participants=4, seed=7)
    with lived.context.registry.begin(write=False) as unit:
        points: dict[str, float] = {}
        minutes: dict[str, float] = {}
        for answer in unit.answers():
            if answer.bank:
                points[answer.participant_id] = points.get(answer.participant_id, 0.0) + (answer.points or 0.0)
        for visit in unit.visits():
            if visit.stage == "tasks":
                minutes[visit.participant_id] = (visit.ended_at - visit.started_at).total_seconds() / 60
    drawn = draw_people(lived, Scenario(id=NULL), 4, seed_of_people(7))
    for person in drawn:
        person.allocate("no_ai")
    rows = [person.row() for person in drawn]
    assert sorted(points.values()) == pytest.approx(sorted(row["quiz_points"] for row in rows))
    stayed = [row["task_minutes"] for row, person in zip(rows, drawn, strict=True) if not person.walk.person.gives_up]
    assert stayed
    for value in stayed:
        assert min(abs(value - other) for other in minutes.values()) < 0.5
    lived.close()


def test_the_effect_that_was_put_in_is_known_for_each_arm(tmp_path):
    app = opened(tmp_path)
    people = draw_people(app, PLANNED, 40, "x")
    for number, person in enumerate(people):
        person.allocate("ai" if number % 2 else "no_ai")
    truth = mean_truth(people)
    assert set(truth) == {"ai"}
    assert -4.1 < truth["ai"]["score"] < -3.5
    assert -3.0 <= truth["ai"]["minutes"] < -2.2
    ai, other = ([p for p in people if p.arm_id == arm] for arm in ("ai", "no_ai"))
    assert all(p.row()["quiz_points"] == p.walk.filled(app.study.main_quiz, app.study.arm("ai")).points for p in ai)
    assert all(p.row()["quiz_points"] == p.walk.filled(app.study.main_quiz, None).points for p in other)
    app.close()


def test_who_leaves_has_the_outcomes_of_a_real_leaver(tmp_path):
    app = opened(tmp_path)
    people = [p for p in draw_people(app, Scenario(id="all_leave", dropout=1.0), 60, "x") if p.reaches_allocation()]
    for person in people:
        person.allocate("ai")
    rows = {id(person): person.row() for person in people}
    quiz, tasks = app.study.main_quiz, app.study.main_task_stages
    before_quiz = [p for p in people if p.share_done(quiz) <= 0 and not p.erased]
    in_tasks = [p for p in people if any(p.share_done(s) < 1 for s in tasks) and not p.erased]
    erased = [p for p in people if p.erased]
    assert min(len(before_quiz), len(in_tasks), len(erased)) > 0
    assert all(rows[id(p)]["quiz_points"] is None for p in before_quiz)
    assert all((rows[id(p)]["completion_event"], rows[id(p)]["completion_minutes"]) == (0, 35) for p in in_tasks)
    assert all(set(rows[id(p)].values()) == {None} for p in erased)
    assert {p.status for p in people} == {"withdrawn", "abandoned"}
    app.close()


def test_dropout_by_arm_acts_from_allocation_on_and_in_that_arm(tmp_path):
    app = opened(tmp_path)
    people = draw_people(app, Scenario(id="unequal", dropout={"ai": 0.5}), 200, "x")
    assert all(person.reaches_allocation() for person in people)
    for number, person in enumerate(people):
        person.allocate("ai" if number % 2 else "no_ai")
    left = {arm: sum(p.status != "completed" for p in people if p.arm_id == arm) for arm in ("ai", "no_ai")}
    assert left["no_ai"] == 0
    assert 35 <= left["ai"] <= 65
    app.close()


def test_who_does_otherwise_than_their_arm_has_the_other_outcome(tmp_path):
    app = opened(tmp_path)
    people = draw_people(app, Scenario(id="mixed", effect_score=-9.0, noncompliance=0.5), 40, "x")
    for person in people:
        person.allocate("ai")
    assert all(p.walk.person.always_ai != p.walk.person.never_ai for p in people)
    effects = [(p.walk.person.never_ai, p.truth()["ai"]["score"]) for p in people]
    assert all(effect == 0.0 for _, effect in effects)  # always-takers are treated in both arms, never-takers in none
    app.close()


def test_a_trial_repeats_and_its_number_gives_other_people(tmp_path):
    memory = Memory()
    job = TrialJob(str(STUDY), "outcomes", PLANNED, 24, 1, 3)
    first, again = play(job, memory), play(job, memory)
    assert first == again
    other = play(TrialJob(str(STUDY), "outcomes", PLANNED, 24, 2, 3), memory)
    assert [row["estimate"] for row in other.rows] != [row["estimate"] for row in first.rows]
    assert {row["outcome"] for row in first.rows} == {"quiz_points", "completion_minutes"}
    assert all(row["true"] < 0 for row in first.rows)


def test_a_stopped_rehearsal_goes_on_where_it_was_and_comes_to_the_same(tmp_path):
    out = tmp_path / "trials.jsonl"
    options = {"trials": 2, "participants": 16, "extra": PLANNED, "workers": "1", "out": out}
    whole = rehearse(STUDY, **options)
    lines = out.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4
    # Killed while the third or the very first was written down, or just before the end of a line.
    done: list[int] = []
    for written, kept in ([*lines[:2], lines[2][:40]], 2), (lines[:3], 3), ([lines[0][:40]], 0):
        out.write_text("\n".join(written), encoding="utf-8")
        done.clear()
        assert rehearse(STUDY, **options, progress=lambda count, total: done.append(count)) == whole
        assert done[0] == kept
        assert done[-1] == 4
        done.clear()
        assert rehearse(STUDY, **options, progress=lambda count, total: done.append(count)) == whole
        assert done == [4]


def test_what_was_assumed_stands_beside_each_figure_with_its_error(tmp_path):
    study = own_study(
        tmp_path,
        "[rehearsal]\nparticipants = 16\n"
        "[[rehearsal.scenarios]]\nid = 'drop'\ndropout = { ai = 0.4 }\neffect_score = -6",
    )
    table = rehearse(study, trials=3, workers="1")
    assert (table["participants"], table["alpha"], table["multiplicity"], table["family"]) == (16, 0.05, "holm", 2)
    assert [entry["id"] for entry in table["scenarios"]] == [NULL, "drop"]
    null, drop = table["scenarios"]
    assert drop["assumed"]["dropout"] == {"ai": 0.4}
    assert (null["null"], drop["null"]) == (True, False)
    for entry in table["scenarios"]:
        for figure in (entry["any"], entry["all"], *(row["rejected"] for row in entry["rows"])):
            share = figure["value"]
            # Three trials of three say much of a share, and not all.
            wanted = math.sqrt(share * (1 - share) / 3) if 0 < share < 1 else math.sqrt(0.5 * 3.5 / (4**2 * 5))
            assert figure["mc_error"] == pytest.approx(wanted)
    points = next(row for row in drop["rows"] if row["outcome"] == "quiz_points")
    assert points["contrast"] == ["ai", "no_ai"]
    assert -6.2 < points["mean_true"]["value"] < -4
    assert sum(null["people"]["statuses"].values()) == pytest.approx(16)
    assert null["usd"]["value"] is None
    json.dumps(table, allow_nan=False)


def test_a_column_that_is_not_drawn_is_refused_by_name_before_any_trial(tmp_path):
    study = own_study(tmp_path, "", **{'primary = ["quiz_points", "completion_minutes"]': 'primary = ["errors"]'})
    with pytest.raises(
        ProblemsFound, match=r"'errors' is not drawn at the level outcomes; rehearse at --level services"
    ):
        rehearse(study, trials=1, workers="1")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"scenarios": ["later"]}, "--scenario: 'later' is not declared"),
        ({"workers": "many"}, "--workers: 'many' is neither a number nor an address"),
        ({"extra": Scenario(id="x", second_effect_score=1)}, "the study has no \\[second_decision\\]"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence(options, said):
    with pytest.raises(UserError, match=said):
        rehearse(STUDY, **{"trials": 1, "workers": "1", "participants": 8} | options)


def test_an_effect_on_what_the_study_does_not_have_is_refused_at_both_levels():
    for level in ("outcomes", "services"):
        with pytest.raises(UserError, match="--effect-score: the study has no main quiz"):
            rehearse(ROOT / "examples" / "exit_interview" / "study.toml", trials=1, workers="1", participants=8,
                     level=level, extra=Scenario(id="x", effect_score=2))  # fmt: skip


def test_another_file_than_of_trials_is_refused_and_kept(tmp_path):
    out = tmp_path / "notes.txt"
    out.write_text("my notes\nof today\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"notes\.txt: line 1 is not a rehearsed trial; give another --out"):
        rehearse(STUDY, trials=1, participants=8, workers="1", out=out)
    assert out.read_text(encoding="utf-8") == "my notes\nof today\n"


@pytest.mark.parametrize(
    "name",
    [
        "crossover",
        "classes",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("numpy_hints", "pre_post_retention")),
    ],
)
def test_each_design_is_drawn_and_analysed_by_its_own_rows(name):
    study = ROOT / "examples" / name / "study.toml"
    result = play(TrialJob(str(study), "outcomes", Scenario(id=NULL), 24, 1, 1), Memory())
    assert result.rows
    assert all(row["estimate"] is not None for row in result.rows)
    assert sum(result.arms.values()) == 24
    assert len(result.arms) >= len(read_study(study).arms) - 1


def test_people_of_a_crossover_differ_from_period_to_period_and_their_effect_is_the_mean_of_the_periods(tmp_path):
    app = opened(tmp_path, ROOT / "examples" / "crossover" / "study.toml")
    walks = [person.walk for person in draw_people(app, PLANNED, 40, "x")]
    first, second = app.study.period_quizzes
    control, treated = app.study.control, next(arm for arm in app.study.arms if not arm.control)

    def points(quiz, arm):
        return [walk.filled(quiz, arm).points for walk in walks]

    between = [later - earlier for earlier, later in zip(points(first, control), points(second, control), strict=True)]
    effects = [mean(points(quiz, treated)) - mean(points(quiz, control)) for quiz in (first, second)]
    assert stdev(between) > 1
    assert mean(walk.score_difference(treated) for walk in walks) == pytest.approx(mean(effects))
    app.close()


def test_drawn_people_keep_the_strata_and_the_ledger_that_the_scheme_gave_them(tmp_path):
    app = opened(tmp_path)
    people = draw_people(app, Scenario(id=NULL), 20, "x")
    for person in people:
        person.allocate("ai")
    dataset = drawn_dataset(app.study, people)
    ledger = dataset.tables["allocations"]
    assert list(ledger["allocation_index"]) == list(range(1, 21))
    assert set(ledger["stratum"]) == set(dataset.participants["stratum"])
    app.close()


def test_drawn_people_answer_only_what_they_are_asked(tmp_path):
    asked = {
        "before": questions("years", SCALE)
        + questions("why", f"{SCALE}\ncorrect = 1", 'when = "years >= 4"', number="then")
        + score('["why"]'),
        "post": questions("felt", SCALE, 'arms = ["other"]', number="last"),
    }
    app = opened(tmp_path, study_of(tmp_path, bank=keyed_bank(tmp_path), **asked))
    people = draw_people(app, Scenario(id=NULL), 12, "x")
    for place, person in enumerate(people):
        person.allocate(("plain", "other")[place % 2])
    rows = [person.row() | {"arm": person.arm_id} for person in people if person.status == "completed"]
    app.close()
    for row in rows:
        assert (row["why"] is not None, row["right"] is not None) == (row["years"] >= 4,) * 2
        assert (row["felt"] is not None) == (row["arm"] == "other")
    assert len({row["why"] is None for row in rows}) == 2


@pytest.mark.slow
def test_the_answer_is_the_same_for_any_number_of_workers_here_and_on_a_cluster():
    from distributed import LocalCluster

    options = {"trials": 2, "participants": 16, "extra": PLANNED}
    alone = rehearse(STUDY, workers="1", **options)
    assert rehearse(STUDY, workers="2", **options) == alone
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        assert rehearse(STUDY, workers=cluster.scheduler_address, **options) == alone


@pytest.mark.slow
def test_both_levels_agree_on_bias_and_size():
    # The same people under an effect: estimates at both levels lie around the same truth.
    options = {"trials": 4, "participants": 24, "extra": Scenario(id="given", effect_score=-5.0), "workers": "1"}
    drawn, lived = (rehearse(STUDY, level=level, **options)["scenarios"][1] for level in ("outcomes", "services"))
    for one, other in zip(drawn["rows"], lived["rows"], strict=True):
        assert (one["id"], one["contrast"]) == (other["id"], other["contrast"])
        assert one["mean_true"]["value"] == pytest.approx(other["mean_true"]["value"], abs=0.6)
        spread = math.hypot(one["mean_estimate"]["mc_error"], other["mean_estimate"]["mc_error"])
        assert abs(one["mean_estimate"]["value"] - other["mean_estimate"]["value"]) < 4 * spread
    assert lived["usd"]["value"] > 0


@pytest.mark.slow
def test_lived_trials_each_have_an_allocation_of_their_own(tmp_path):
    jobs = [TrialJob(str(STUDY), "services", Scenario(id=NULL), 8, number, 1) for number in (1, 2)]
    first, second = (play(job, Memory()) for job in jobs)
    assert [row["estimate"] for row in first.rows] != [row["estimate"] for row in second.rows]
