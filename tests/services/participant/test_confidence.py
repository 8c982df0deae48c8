"""Confidence beside quiz items and a judgement before the quiz: kept, checked against the log, analysed per arm."""

from __future__ import annotations

import csv
import io
import json
import shutil
from tomllib import loads

import pytest
from support.trials.quiz_study import keyed_bank, results, rewrite_table, simulated, study_text, written

from analysis.cli import analyze
from study_app.content.study_file import validate_study
from study_app.dataset.verification import verify
from study_app.domain.errors import ProblemsFound

JUDGEMENT = """
[[stages]]
id = "expectation"
kind = "survey"
[[stages.questions]]
id = "expected"
kind = "slider"
prompt = "How much of the quiz will you get right?"
low = 0
high = 100
unit = "%"
"""
ASKS = 'confidence = true\njudgement = "expected"'
OVERCONFIDENCE = 0.2


def refused(**parts: str) -> str:
    with pytest.raises(ProblemsFound) as found:
        validate_study(loads(study_text(**parts)), "study.toml")
    return "\n".join(str(problem) for problem in found.value.problems)


def table(dataset, name: str) -> list[dict[str, str]]:
    path = next((dataset / "data").glob(f"*_description-{name}_data.csv"))
    return list(csv.DictReader(path.open(encoding="utf-8")))


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibration")
    bank = keyed_bank(folder)
    written(folder, pre="confidence = true", after=JUDGEMENT, post=ASKS, bank=bank)
    _, dataset = simulated(folder, participants=12, overconfidence=OVERCONFIDENCE)
    analyze(dataset, folder / "out", include_simulated=True)
    return dataset, folder / "out"


def test_confidence_stands_beside_each_answer_of_the_quizzes_that_ask_for_it(trial):
    dataset, _ = trial
    answers = [row for row in table(dataset, "answers") if row["bank"]]
    asked = [row for row in answers if row["stage"] != "retention" and row["response"] and row["points"]]
    given = [row for row in asked if row["type"] != "attention_check"]
    assert given
    assert all(float(row["confidence"]) * 10 % 1 == pytest.approx(0, abs=1e-9) for row in given)
    assert not any(row["confidence"] for row in answers if row["stage"] == "retention" or not row["response"])


def test_the_columns_of_a_person_follow_from_the_answers(trial):
    dataset, _ = trial
    answers = table(dataset, "answers")
    for person in table(dataset, "participants"):
        rated = [
            (float(row["confidence"]), float(row["points"]) / float(row["max_points"]))
            for row in answers
            if row["participant_id"] == person["participant_id"] and row["stage"] == "posttest" and row["confidence"]
            if float(row["max_points"])
        ]
        if not rated:
            assert not person["quiz_brier"]
            continue
        brier = sum((said - right) ** 2 for said, right in rated) / len(rated)
        over = sum(said - right for said, right in rated) / len(rated)
        assert float(person["quiz_brier"]) == pytest.approx(brier)
        assert float(person["posttest_overconfidence"]) == pytest.approx(over)
        judged = float(person["expected"]) / 100
        assert float(person["quiz_judgement"]) == pytest.approx(judged)
        assert float(person["quiz_judgement_error"]) == pytest.approx(judged - float(person["quiz_score"]))


def test_the_planted_calibration_comes_out_by_arm_and_gamma_shows_the_resolution(trial):
    _, out = trial
    quizzes = results(out)["psychometrics"]["quizzes"]
    found = quizzes["posttest"]["calibration"]
    assert set(found["arms"]) == {row["arm"] for row in table(trial[0], "participants") if row["arm"]}
    for group in (found["all"], *found["arms"].values()):
        # Clipping at 100 percent takes a little from those who know most.
        assert OVERCONFIDENCE - 0.06 <= group["overconfidence"]["estimate"] <= OVERCONFIDENCE + 0.03
        assert group["gamma"]["estimate"] > 0.4
        assert group["brier"]["ci_low"] < group["brier"]["estimate"] < group["brier"]["ci_high"]
        assert sum(step["n"] for step in group["curve"]) == group["answers"]
    assert quizzes["pretest"]["calibration"]["arms"] == {}
    assert "calibration" not in quizzes["retention"]
    report = (out / "report.html").read_text()
    assert report.count("Confidence minus share</th>") == 2
    assert report.count("Expected minus reached</th>") == 1


def test_verify_follows_confidence_from_the_log_and_finds_another(trial, tmp_path):
    dataset, _ = trial
    assert not verify(dataset).findings

    changed = tmp_path / "changed"
    shutil.copytree(dataset, changed)

    def surer(text):
        rows = list(csv.DictReader(io.StringIO(text)))
        row = next(row for row in rows if row["confidence"] not in ("", "1"))
        row["confidence"] = "1"
        new = io.StringIO(newline="")
        writer = csv.DictWriter(new, list(rows[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
        return new.getvalue()

    rewrite_table(changed, "answers", surer)
    assert "answer_differs_from_events" in {finding.name for finding in verify(changed).findings}


def test_codebook_and_registration_name_what_is_asked(trial):
    dataset, _ = trial
    columns = {}
    for path in (dataset / "data").glob("*participants_data.json"):
        columns = json.loads(path.read_text())
    text = json.dumps(columns)
    for name in ("quiz_brier", "quiz_gamma", "posttest_judgement_error", "pretest_overconfidence"):
        assert name in text
    assert "retention_brier" not in text


def test_mistakes_are_named_with_key_and_remedy():
    survey = JUDGEMENT.replace('kind = "survey"', 'kind = "survey"\nconfidence = true')
    assert "stages.expectation.confidence: only a quiz has it, found kind 'survey'; remove it" in refused(after=survey)
    assert "stages.posttest.judgement: 'expected' is not a question of a stage before the quiz" in refused(post=ASKS)
    late = refused(pre='judgement = "expected"', after=JUDGEMENT)
    assert "stages.pretest.judgement: 'expected' is not a question of a stage before the quiz" in late
    text = JUDGEMENT.replace('"slider"', '"text"').replace("low = 0\nhigh = 100\n", "")
    assert "'expected' is of kind text; name a scale, slider or number with low" in refused(after=text, post=ASKS)
    taken = JUDGEMENT.replace('"expected"', '"quiz_brier"')
    assert "'quiz_brier' is a column of the quiz posttest" in refused(after=taken, post="confidence = true")
