"""Effects of second treatments: who gets them, where they act, and that the analysis finds what was put in."""

from __future__ import annotations

import numpy as np
import pytest
from support.paths import ROOT
from support.trials import design_studies
from support.trials.simulations import run

from study_app.domain.errors import UserError
from study_app.domain.study.rehearsal.problems import second_effect_problems
from study_app.domain.study.rehearsal.section import NULL, Scenario
from study_app.rehearsal import rehearse
from study_app.rehearsal.drawn_people import draw_people
from study_app.rehearsal.second_decisions import decide_again, truth_of_second
from study_app.settings import Settings
from study_app.simulation import open_for_simulation

EXAMPLE = ROOT / "examples" / "second_decision" / "study.toml"


def opened(folder, study):
    return open_for_simulation(Settings(study, f"sqlite:///{folder}/s.db", folder / "var", environment={}), 7)


def decided(app, scenario, count=40):
    people = draw_people(app, scenario, count, "x")
    arms = [arm.id for arm in app.study.arms]
    for number, person in enumerate(people):
        person.allocate(arms[number % 2])
    decide_again(app.study, people, np.random.default_rng(1))
    return people


def test_points_of_a_second_treatment_are_added_to_who_did_not_respond(tmp_path):
    app = opened(tmp_path, design_studies.made(tmp_path, "second_decision"))
    plain, more = (decided(app, Scenario(id="x", second_effect_score=value)) for value in (0.0, 3.0))
    changes = {"responded": [], "stay": [], "more": []}
    for before, after in zip(plain, more, strict=True):
        assert (before.responded, before.walk.second) == (after.responded, after.walk.second)
        change = after.row()["quiz_points"] - before.row()["quiz_points"]
        changes[after.walk.second or "responded"].append(change)
        assert (after.row()["halfway_score"] >= 0.65) == after.responded
    assert {name: set(found) for name, found in changes.items() if name != "more"} == {
        "responded": {0.0},
        "stay": {0.0},
    }
    assert 2 < np.mean(changes["more"]) <= 3.3
    truth = truth_of_second(app.study, more)
    assert 2 < truth["more"]["score"] <= 3.3
    people_again = {arm: sum(p.arm_id == arm for p in more if p.responded is False) for arm in ("plain", "other")}
    in_arms = {arm: truth[f"more in {arm}"]["score"] for arm in people_again}
    pooled = sum(count * in_arms[arm] for arm, count in people_again.items()) / sum(people_again.values())
    assert truth["more"]["score"] == pytest.approx(pooled)
    share = np.mean([person.responded is False for person in more])
    gained = truth["other/more"]["score"] - truth["other/stay"]["score"]
    assert gained == pytest.approx(share * truth["more"]["score"])
    app.close()


def test_minutes_of_a_second_treatment_come_from_the_tasks_behind_the_decision(tmp_path):
    app = opened(tmp_path, EXAMPLE)
    people = decided(app, Scenario(id="x", second_effect_minutes={"answers": -2.0}), 30)
    arm = app.study.control
    changes = [
        person.walk.time(arm, second="answers") - person.walk.time(arm, second="stay")
        for person in people
        if not person.walk.person.gives_up and not person.walk.person.never_ai
    ]
    # Of 35 minutes 20 come behind the decision; a person near the limit or the shortest time changes by less.
    assert min(changes) == pytest.approx(-2.0)
    assert all(-2.001 < change <= 0 for change in changes)
    behind = [p.walk.minutes(arm, second="answers") - p.walk.minutes(arm) for p in people]
    assert min(behind) == pytest.approx(-2.0 * 35 / 20)
    app.close()


def points_of(app) -> dict[str, float]:
    with app.context.registry.begin(write=False) as unit:
        found: dict[str, float] = {}
        for answer in unit.answers():
            if answer.bank and answer.stage == "posttest":
                found[answer.participant_id] = found.get(answer.participant_id, 0.0) + (answer.points or 0.0)
        return found


def test_people_who_live_through_the_study_gain_what_their_second_treatment_adds(tmp_path):
    study = design_studies.made(tmp_path, "second_decision")
    found = []
    for name, effect in (("plain", 0.0), ("more", 3.0)):
        (tmp_path / name).mkdir()
        app, summary = run(tmp_path / name, study, participants=7, second_effect_score=effect)
        with app.context.registry.begin(write=False) as unit:
            given = {person.id: person.second_treatment for person in unit.participants()}
        found.append((points_of(app), given, summary))
        app.close()
    (before, given, none), (after, same, some) = found
    assert given == same
    changes = {name: after[name] - before[name] for name in before}
    assert {changes[name] for name, treatment in given.items() if treatment != "more"} == {0.0}
    gained = [changes[name] for name, treatment in given.items() if treatment == "more"]
    assert gained
    assert all(0 <= gain <= 3.6 for gain in gained)
    assert none.second_treatments["more"].score == 0.0
    assert 1.5 < some.second_treatments["more"].score <= 3.3
    assert "Realised effect of the second treatment more" in "\n".join(some.lines())
    assert 1.5 < some.second_within_arms["more in plain"].score <= 3.3
    assert "Realised effect of the second treatment more in plain" in "\n".join(some.lines())
    assert set(some.regimes) == {"plain/stay", "plain/more", "other/stay", "other/more"}


def rows_of(entry) -> dict[str, dict]:
    return {row["id"].rsplit(".", 1)[-1]: row for row in entry["rows"]}


def test_a_rehearsal_counts_regimes_and_second_treatments_beside_the_primary_rows(tmp_path):
    study = design_studies.made(tmp_path, "second_decision")
    scenario = Scenario(id="given", effect_score=2.0, second_effect_score=4.0)
    table = rehearse(study, trials=3, participants=60, extra=scenario, workers="1")
    null, given = table["scenarios"]
    rows = rows_of(given)
    assert table["family"] == 1
    assert {row["role"] for row in rows.values()} == {"primary", "secondary"}
    assert rows_of(null)["more_vs_stay"]["mean_true"]["value"] == 0.0
    assert 2 < rows["more_vs_stay"]["mean_true"]["value"] < 4.3
    in_arms = [rows[f"{arm}/more_vs_stay"]["mean_true"]["value"] for arm in ("plain", "other")]
    # Who gained by the arm already is nearer to the most points.
    assert all(1 < value < 4.3 for value in in_arms)
    assert min(in_arms) <= rows["more_vs_stay"]["mean_true"]["value"] <= max(in_arms)
    assert all(row["mean_true"]["value"] is not None for row in rows.values())
    assert (
        rows["other/more_vs_plain/stay"]["mean_true"]["value"] > rows["other/stay_vs_plain/stay"]["mean_true"]["value"]
    )
    primary = next(row for row in given["rows"] if row["role"] == "primary")
    assert given["any"] == given["all"] == primary["rejected"]


@pytest.mark.slow
def test_stated_effects_come_back_within_their_monte_carlo_error(tmp_path):
    study = design_studies.made(tmp_path, "second_decision")
    scenario = Scenario(id="given", effect_score=2.0, second_effect_score=4.0)
    table = rehearse(study, trials=80, participants=80, extra=scenario, workers="1")
    for entry in table["scenarios"]:
        for row in entry["rows"]:
            assert abs(row["bias"]["value"]) < 4 * row["bias"]["mc_error"], row
            assert row["coverage"]["value"] > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 80), row
            if entry["id"] == NULL:
                assert row["rejected"]["value"] < 0.05 + 4 * np.sqrt(0.95 * 0.05 / 80), row


def test_effects_that_a_study_cannot_have_are_refused(tmp_path):
    scenario = Scenario(id="x", second_effect_score={"less": 1.0, "stay": 2.0})
    assert list(second_effect_problems(scenario, ["stay", "more"])) == [
        "second_effect_score: 'less' is not a second treatment; use one of: more",
        "second_effect_score: 'stay' is listed first, and effects are differences from it; leave it out",
    ]
    plain = design_studies.made(tmp_path, "blocks")
    with pytest.raises(UserError, match=r"--second-effect-score: the study has no \[second_decision\]; leave it out"):
        rehearse(plain, trials=1, extra=Scenario(id="x", second_effect_score=1.0), workers="1")
    with pytest.raises(UserError, match=r"--second-effect-minutes: the study has no \[second_decision\]"):
        run(tmp_path, plain, participants=1, second_effect_minutes=1.0)
