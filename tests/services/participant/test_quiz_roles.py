"""Several quizzes in one study: roles, columns, simulated effects, allocation by a pre-test, analysis."""

from __future__ import annotations

import csv
import io
import shutil
from tomllib import loads

import pytest
from support.trials.quiz_study import (
    BANK,
    OUTCOME,
    PLAN,
    keyed_bank,
    rewrite_table,
    simulated,
    study_text,
    written,
)

from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from study_app.content.item_banks import load_bank
from study_app.content.library import FolderLibrary
from study_app.content.study_file import read_study, validate_study
from study_app.dataset.verification import verify
from study_app.domain.errors import ProblemsFound
from study_app.services.researcher.fitness import fitness_problems

PEOPLE = 16


def roles(**parts: str) -> dict[str, str]:
    study = validate_study(loads(study_text(**parts)), "study.toml")
    return {quiz.stage.id: quiz.role for quiz in study.quizzes}


def refused(**parts: str) -> str:
    with pytest.raises(ProblemsFound) as found:
        validate_study(loads(study_text(**parts)), "study.toml")
    return "\n".join(str(problem) for problem in found.value.problems)


def survey(question: str, more: str = "") -> str:
    asked = f'[[stages.questions]]\nid = "{question}"\nkind = "text"\nprompt = "?"\n'
    return f'[[stages]]\nid = "ask"\nkind = "survey"\n{more}\n{asked}'


def people(dataset) -> list[dict[str, str]]:
    path = next((dataset / "data").glob("*_description-participants_data.csv"))
    return list(csv.DictReader(path.open(encoding="utf-8")))


def analysed(dataset):
    return analyse(load(dataset), include_simulated=True)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trial")
    written(folder)
    summary, dataset = simulated(folder, participants=PEOPLE, effect_score=-5.0)
    return summary, dataset, analysed(dataset)


# -- roles -------------------------------------------------------------------------------------------------------------


def test_a_quiz_has_its_role_from_its_place():
    assert roles() == {"pretest": "baseline", "posttest": "main", "retention": "retention"}


def test_a_declared_main_quiz_leaves_the_first_after_allocation_as_another():
    assert roles(late='role = "main"') == {"pretest": "baseline", "posttest": "other", "retention": "main"}


def test_a_second_quiz_of_the_same_session_is_another():
    second = '[[stages]]\nid = "again"\nkind = "quiz"\nminutes = 5\nbank = "x"\n'
    assert roles(post=second)["again"] == "other"


def test_two_main_quizzes_are_refused():
    assert "posttest and retention both have the role main" in refused(post='role = "main"', late='role = "main"')


def test_a_role_against_the_order_of_stages_is_refused():
    assert "stages.pretest.role: a quiz before allocation is not 'main'" in refused(pre='role = "main"')
    assert "stages.posttest.role: a baseline quiz comes before allocation" in refused(post='role = "baseline"')


def test_only_a_quiz_has_a_role():
    assert "stages.ask.role: only a quiz has a role" in refused(before=survey("a", 'role = "main"'))


def test_a_question_with_the_name_of_a_quizs_column_is_refused():
    assert "'retention_points' is a column of the quiz retention" in refused(before=survey("retention_points"))


def test_the_name_quiz_belongs_to_the_main_quiz():
    other = '[[stages]]\nid = "quiz"\nkind = "quiz"\nminutes = 5\nbank = "x"\n'
    assert "stages.quiz.id: the columns quiz_... are those of the main quiz" in refused(post=other)


# -- data --------------------------------------------------------------------------------------------------------------


def test_the_quiz_columns_are_the_main_ones_and_each_quiz_has_its_own(trial):
    _, dataset, _ = trial
    rows = people(dataset)
    for end in ("points", "max", "score"):
        assert [row[f"quiz_{end}"] for row in rows] == [row[f"posttest_{end}"] for row in rows]
    assert {"pretest_points", "pretest_score", "retention_points", "retention_max"} <= set(rows[0])
    assert [row["quiz_points"] for row in rows] != [row["pretest_points"] for row in rows]
    assert not verify(dataset).findings


@pytest.mark.slow
def test_effects_are_planted_in_the_main_quiz_and_nowhere_else(tmp_path, trial):
    _, with_effect, _ = trial
    written(tmp_path)
    _, without = simulated(tmp_path, participants=PEOPLE, effect_score=0.0)
    before, after = people(without), people(with_effect)
    for stage in ("pretest", "retention"):
        assert [row[f"{stage}_points"] for row in before] == [row[f"{stage}_points"] for row in after]
    changed = [a["arm"] for a, b in zip(after, before, strict=True) if a["quiz_points"] != b["quiz_points"]]
    assert set(changed) == {"other"}


def test_the_realised_effect_is_that_of_the_main_quiz_and_the_analysis_recovers_it(trial):
    summary, _, found = trial
    realised = summary.realised["other"].score
    assert -5.0 <= realised < -3.0
    primary = next(row for row in found["estimates"] if row["role"] == "primary")
    assert primary["ci_low"] <= realised <= primary["ci_high"]


def test_item_analysis_is_shown_for_each_quiz_though_all_use_one_bank(trial):
    _, dataset, found = trial
    quizzes = found["psychometrics"]["quizzes"]
    assert {stage: part["role"] for stage, part in quizzes.items()} == {
        "posttest": "main", "pretest": "baseline", "retention": "retention",
    }  # fmt: skip
    path = next((dataset / "data").glob("*_description-answers_data.csv"))
    answers = list(csv.DictReader(path.open(encoding="utf-8")))
    for stage, part in quizzes.items():
        for item in part["items"]:
            points = [float(a["points"]) for a in answers if a["stage"] == stage and a["item"] == item["item"]]
            assert item["share"] == pytest.approx(sum(points) / (PEOPLE * item["max_points"]))
    assert found["psychometrics"]["items"] == quizzes["posttest"]["items"]
    assert all(not item["arms"] for item in quizzes["pretest"]["items"])


def test_answers_say_which_task_and_family_their_item_is_of(trial):
    _, dataset, _ = trial
    path = next((dataset / "data").glob("*_description-answers_data.csv"))
    said = {row["item"]: (row["about_task"], row["family"]) for row in csv.DictReader(path.open(encoding="utf-8"))}
    items = load_bank(BANK).items
    assert said == {item.id: (item.task or "", item.family or "") for item in items}
    assert len(set(said.values())) > 1


def test_the_mixed_model_runs_for_each_quiz_after_allocation(trial):
    _, _, found = trial
    rows = {row["id"]: row["outcome"] for row in found["estimates"] if row["method"] == "mixed_logit"}
    assert rows == {"quiz_items.mixed_logit": "quiz_items", "quiz_items.mixed_logit.retention": "retention_items"}


def test_the_baseline_quiz_stands_in_the_baseline_table(trial):
    _, _, found = trial
    assert "pretest_points" in {row["variable"] for row in found["baseline"]}


def test_a_quiz_never_opened_is_missing_and_an_unanswered_item_is_0(tmp_path, trial):
    _, dataset, _ = trial
    rows = people(dataset)
    absent, blank = rows[0]["participant_id"], rows[1]["participant_id"]
    shutil.copytree(dataset, tmp_path / "data")

    def without_answers(text: str) -> str:
        lines = text.splitlines(keepends=True)
        return "".join(line for line in lines if not (line.startswith((absent, blank)) and ",retention," in line))

    def without_points(text: str) -> str:
        table = list(csv.reader(text.splitlines()))
        for row in table[1:]:
            for at, name in enumerate(table[0]):
                if name.startswith("retention_") and row[0] == absent:
                    row[at] = ""
                if name in ("retention_points", "retention_score") and row[0] == blank:
                    row[at] = "0"
        return "".join(",".join(f'"{cell}"' if "," in cell else cell for cell in row) + "\r\n" for row in table)

    rewrite_table(tmp_path / "data", "answers", without_answers)
    rewrite_table(tmp_path / "data", "participants", without_points)
    quizzes = analysed(tmp_path / "data")["psychometrics"]["quizzes"]
    assert (quizzes["posttest"]["n"], quizzes["retention"]["n"]) == (PEOPLE, PEOPLE - 1)


@pytest.mark.slow
def test_items_on_which_nobody_differs_stay_out_of_reliability(tmp_path, trial):
    _, dataset, found = trial
    shutil.copytree(dataset, tmp_path / "data")
    item = found["psychometrics"]["items"][0]["item"]

    def all_right(text: str) -> str:
        table = list(csv.DictReader(text.splitlines(keepends=True)))
        for row in table:
            if row["stage"] == "posttest" and row["item"] == item:
                row["points"] = row["max_points"]
        out = io.StringIO()
        writer = csv.DictWriter(out, list(table[0]), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(table)
        return out.getvalue()

    rewrite_table(tmp_path / "data", "answers", all_right)
    section = analysed(tmp_path / "data")["psychometrics"]
    for name in ("alpha", "omega"):
        assert f"left out, for everybody has the same points: {item}" in section[name]["note"]
        assert section[name]["value" if "value" in section[name] else "omega"] is not None


# -- allocation by a pre-test ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allocation", "shown"),
    [
        ('method = "stratified_blocks"\nstrata = [{ variable = "pretest_points", cuts = [5] }]', "pretest_points="),
        pytest.param(
            'method = "minimisation"\nfactors = [{ variable = "pretest_score", cuts = [0.35] }]',
            "pretest_score=",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_baseline_quiz_is_a_stratum_and_a_minimisation_factor(tmp_path, allocation, shown):
    plan = PLAN.replace("covariates = []", 'covariates = [{ column = "pretest_points" }]') + OUTCOME
    written(tmp_path, allocation=allocation, plan=plan, bank=keyed_bank(tmp_path))
    _, dataset = simulated(tmp_path, participants=8)
    cut = float(allocation.split("cuts = [")[1].split("]")[0])
    for row in people(dataset):
        score = float(row[shown[:-1]])
        assert row["stratum"] == shown + (f"<{cut:g}" if score < cut else f">={cut:g}")
    assert not verify(dataset).findings
    primary = next(row for row in analysed(dataset)["estimates"] if row["role"] == "primary")
    assert primary["estimate"] is not None


def test_allocation_by_a_quiz_that_waits_for_a_run_is_refused(tmp_path):
    path = written(tmp_path, allocation='method = "stratified_blocks"\nstrata = ["pretest_points"]')
    study = read_study(path)
    found = fitness_problems(study, FolderLibrary(study, tmp_path, "study.toml"), "study.toml")
    assert "allocation needs the points of 'pretest' at once, and between, change wait for scoring" in str(found[0])
