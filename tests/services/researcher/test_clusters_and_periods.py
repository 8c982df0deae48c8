"""Cluster trials and sequences of treatments in data: pseudonyms everywhere, labels nowhere, a row for each period."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections import defaultdict
from pathlib import Path
from statistics import mean
from types import SimpleNamespace

import pytest
from support.trials.earlier_versions import without
from support.trials.quiz_study import (
    OUTCOME,
    PLAN,
    keyed_bank,
    results,
    rewrite_table,
    simulated,
    study_text,
    with_content,
    written,
)

from analysis.cli import analyze
from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from analysis.pipeline.planning.plan import load_plan
from study_app.bootstrap import start
from study_app.clock import SystemClock
from study_app.dataset.schema.tables import ADDED_LATER
from study_app.dataset.verification import verify
from study_app.domain.errors import ProblemsFound
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting import cluster_columns
from study_app.services.researcher.exporting.export import export
from study_app.settings import Settings
from study_app.simulation.simulation import PERIODS_DIFFER

CLUSTER = 'method = "cluster"\ncluster = "label"'
QUESTION = """
[[stages]]
id = "about"
kind = "survey"
[[stages.questions]]
id = "school"
kind = "text"
prompt = "Your school"
"""


PACE_ERROR = PERIODS_DIFFER**0.5 * 0.2 * 20 * (2 / 8) ** 0.5
"""Standard error of the mean difference of two periods of 20 minutes, over 8 people."""


def tables(dataset: Path) -> dict[str, list[dict[str, str]]]:
    found = {}
    for path in (dataset / "data").glob("*_data.csv"):
        name = path.name.split("description-")[1].removesuffix("_data.csv")
        found[name] = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
    return found


def every_byte(dataset: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in dataset.rglob("*") if path.is_file())


# -- clusters --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clustered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clusters")
    written(folder, allocation=CLUSTER, bank=keyed_bank(folder))
    return simulated(folder, participants=16, effect_score=-4.0)


def test_simulated_people_come_in_clusters_that_share_an_arm(clustered):
    _, dataset = clustered
    arms = defaultdict(set)
    for row in tables(dataset)["participants"]:
        arms[row["cluster_id"]].add(row["arm"])
    assert len(arms) == 4
    assert all(len(found) == 1 for found in arms.values())


def test_every_table_of_a_cluster_trial_names_the_cluster_by_a_pseudonym_and_no_cell_a_label(clustered):
    _, dataset = clustered
    found = tables(dataset)
    own = {row["participant_id"]: row["cluster_id"] for row in found["participants"]}
    for name, rows in found.items():
        for row in rows:
            if name != "ratings":
                assert row["cluster_id"] == own[row["participant_id"]], name
    assert "cluster_id" in (dataset / "data" / "study-threequizzes_description-ratings_data.json").read_text()
    assert "class 1" not in every_byte(dataset)
    assert verify(dataset).findings == []


def test_a_judgement_names_the_cluster_of_whom_it_judges(monkeypatch):
    monkeypatch.setattr(cluster_columns, "cluster_of", lambda unit, person: "c1")
    monkeypatch.setattr(cluster_columns, "interviews_of", lambda events: [])
    clusters = cluster_columns.Clusters(None, None, identified=True)
    study = SimpleNamespace(allocation=SimpleNamespace(method="cluster"))
    held = {"turns": [SimpleNamespace(id="t")], "runs": [SimpleNamespace(id="r")], "events": []}
    assert list(clusters.rows(SimpleNamespace(study=study, participant=SimpleNamespace(id="p"), **held), [])) == []
    for name in ("run:r", "turn:t", "turn:t#reply", "answer:p:quiz:q1", "participant:p"):
        assert clusters.rating({"object": name})["cluster_id"] == "c1", name


def test_a_row_moved_to_another_cluster_is_found(clustered, tmp_path):
    _, dataset = clustered
    shutil.copytree(dataset, tmp_path / "data")
    clusters = sorted({row["cluster_id"] for row in tables(dataset)["participants"]})
    person = next(row for row in tables(dataset)["participants"] if row["cluster_id"] == clusters[0])["participant_id"]

    def moved(text: str) -> str:
        lines = text.splitlines(keepends=True)
        return "".join(line.replace(clusters[0], clusters[1]) if line.startswith(person) else line for line in lines)

    rewrite_table(tmp_path / "data", "visits", moved)
    assert "cluster_differs" in {finding.name for finding in verify(tmp_path / "data").findings}


def real_app(folder: Path, **parts: str):
    path = folder / "study.toml"
    with_content(folder)
    path.write_text(f"{study_text(**parts)}\n[recruitment]\n")
    settings = Settings(path, f"sqlite:///{folder}/study.db", folder / "var", environment={})
    return start(settings, clock=SystemClock())


def test_previews_of_a_class_have_a_secret_pseudonym_that_stays(tmp_path):
    app = real_app(tmp_path, allocation=CLUSTER)
    for number in range(4):
        who = app.enrol.enter(EntryRequest(label=f"Year {7 + number % 2} B")).participant.id
        app.session.where(who)
        app.session.consent(who, True)
        place = app.session.where(who)
        for step in range(5):
            if place.stage is not None and place.stage.id == "pretest":
                place = app.answers.submit_page(who, "pretest", step, {})
    export(app.context, tmp_path / "one", include_preview=True)
    export(app.context, tmp_path / "two", include_preview=True)
    app.close()
    first, second = (tables(tmp_path / name) for name in ("one", "two"))
    assert first == second
    assert len({row["cluster_id"] for row in first["participants"]}) == 2
    assert [row["cluster_id"] for row in first["allocations"]] == [row["cluster_id"] for row in first["participants"]]
    for level in (json.loads(row["levels"]) for row in first["allocations"]):
        assert level["label"].startswith("c")
    assert "Year 7" not in every_byte(tmp_path / "one")
    assert "Year 8" not in every_byte(tmp_path / "one")
    assert verify(tmp_path / "one").findings == []


def test_a_question_that_names_the_cluster_is_in_no_cell(tmp_path):
    app = real_app(tmp_path, allocation='method = "cluster"\ncluster = "school"', before=QUESTION)
    for number in range(4):
        who = app.enrol.enter(EntryRequest()).participant.id
        app.session.where(who)
        app.session.consent(who, True)
        app.session.where(who)
        app.answers.submit_survey(who, "about", {"school": f"Hillside {number % 2}"})
        for step in range(5):
            place = app.session.where(who)
            if place.stage is not None and place.stage.id == "pretest":
                app.answers.submit_page(who, "pretest", step, {})
    export(app.context, tmp_path / "data", include_preview=True)
    export(app.context, tmp_path / "named", include_preview=True, identified=True)
    app.close()
    assert "Hillside" not in every_byte(tmp_path / "data")
    assert len({row["cluster_id"] for row in tables(tmp_path / "data")["participants"]} - {""}) == 2
    assert "Hillside" in every_byte(tmp_path / "named")
    assert verify(tmp_path / "data").findings == []


@pytest.mark.parametrize(
    "question",
    [
        QUESTION,
        pytest.param(
            QUESTION.replace('"text"', '"choice"')
            + 'options = [{ value = "hillside", label = "a" }, { value = "riverbank", label = "b" }]\n',
            marks=pytest.mark.slow,
        ),
    ],
    ids=["text", "choice"],
)
def test_what_was_entered_for_a_label_is_in_no_event_either(tmp_path, question):
    written(tmp_path, bank=keyed_bank(tmp_path), allocation='method = "cluster"\ncluster = "school"', before=question)
    _, dataset = simulated(tmp_path, participants=6)
    settings = Settings(tmp_path / "study.toml", f"sqlite:///{tmp_path}/study.db", tmp_path, environment={})
    app = start(settings)
    export(app.context, tmp_path / "named", include_simulated=True, identified=True)
    app.close()
    labels = {row["response"] for row in tables(tmp_path / "named")["answers"] if row["item"] == "school"} - {""}
    assert labels
    cells = "\n".join(path.read_text("utf-8") for path in (dataset / "data").glob("*_data.csv"))
    assert [label for label in labels if label.strip('"') in cells] == []
    for folder in (dataset, tmp_path / "named"):
        assert verify(folder).findings == []


@pytest.mark.parametrize("allocation", [CLUSTER, 'method = "sequence"\norders = "all"'])
def test_designs_of_groups_and_orders_are_no_reason_against_a_launch(tmp_path, allocation):
    app = real_app(tmp_path, allocation=allocation, after='[[stages]]\nid = "second"\nkind = "instructions"\n')
    with pytest.raises(ProblemsFound) as refused:
        app.lifecycle.launch()
    app.close()
    assert "recruitment.entry" in str(refused.value)
    assert "allocation" not in str(refused.value)


def test_a_crossover_with_fewer_periods_than_treatments_is_refused_by_the_launch(tmp_path):
    app = real_app(tmp_path, allocation='method = "sequence"\norders = "all"')
    with pytest.raises(ProblemsFound) as refused:
        app.lifecycle.launch()
    app.close()
    assert "allocation.orders: the order plain>other has 2 treatment(s), and the study has 1 period" in str(
        refused.value
    )


def test_a_cluster_trial_is_analysed_by_cluster_and_its_planted_effect_is_found(clustered, tmp_path):
    summary, dataset = clustered
    analyze(dataset, tmp_path / "out", include_simulated=True)
    found = results(tmp_path / "out")
    rows = {row["id"]: row for row in found["estimates"]}
    for name in ("quiz_points.rerandomization", "quiz_points.lin", "quiz_points.mixed_model"):
        assert rows[name]["estimate"] == pytest.approx(summary.realised["other"].score, abs=2.0)
    assert rows["quiz_points.rerandomization"]["detail"]["clusters"] == 4
    assert "logged scheme replayed over the whole ledger of 4 clusters" in rows["quiz_points.rerandomization"]["note"]
    assert any(text.startswith("Few clusters") for text in found["warnings"])
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "CONSORT extension: cluster trials" in page
    assert "parallel arms, allocated in 4 clusters" in page
    assert re.search(r"quiz points −?\d\.\d{3}", page)


# -- sequences -------------------------------------------------------------------------------------------------------

TASKS = """
[[stages]]
id = "{id}"
kind = "tasks"
minutes = 20
packs = ["{root}/tasks/sorted_scores"]
assistant = true
"""
PERIOD_QUIZ = '[[stages]]\nid = "{id}"\nkind = "quiz"\nminutes = 10\nbank = "{bank}"\n'
HELP = """
[assistants.full]
file = "{root}/assistants/full.toml"
[assistant_policy]
allow_embedded = true
"""


@pytest.fixture(scope="module")
def crossed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("orders")
    bank = keyed_bank(folder)
    arms = '[[arms]]\nid = "plain"\ncontrol = true\n[[arms]]\nid = "helped"\nassistant = "full"\n'
    after = (
        TASKS.format(id="first", root=".")
        + PERIOD_QUIZ.format(id="quiz", bank=bank)
        + '[[stages]]\nid = "between"\nkind = "instructions"\n'
        + TASKS.format(id="second", root=".")
    )
    plan = PLAN + OUTCOME
    arms += HELP.format(root=".")
    written(folder, arms=arms, allocation='method = "sequence"', after=after, bank=bank, plan=plan)
    return simulated(folder, participants=8, effect_minutes=-6.0, effect_score=-4.0)


def test_a_sequence_has_a_row_for_each_period_with_its_treatment(crossed):
    _, dataset = crossed
    found = tables(dataset)
    arms = {row["participant_id"]: row["arm"] for row in found["participants"]}
    for person, arm in arms.items():
        rows = [row for row in found["periods"] if row["participant_id"] == person]
        assert [row["period"] for row in rows] == ["1", "2"]
        assert ">".join(row["treatment"] for row in rows) == arm
        assert [row["stage"] for row in rows] == ["first", "second"]
    helped = [row for row in found["periods"] if row["treatment"] == "helped"]
    plain = [row for row in found["periods"] if row["treatment"] == "plain"]
    assert sum(int(row["queries"]) for row in helped) > 0
    assert sum(int(row["queries"]) for row in plain) == 0
    assert verify(dataset).findings == []


def test_effects_act_within_people_and_are_found_there(crossed):
    summary, dataset = crossed
    rows = tables(dataset)["periods"]
    value = {(row["participant_id"], row["treatment"]): row for row in rows}
    people = {row["participant_id"] for row in rows}

    def differences(column: str) -> list[float]:
        return [float(value[p, "helped"][column]) - float(value[p, "plain"][column]) for p in people]

    minutes, points = differences("minutes"), differences("points")
    assert len({round(each, 3) for each in minutes}) == len(minutes), "a person's two periods are not copies"
    assert mean(minutes) == pytest.approx(summary.realised["helped"].minutes, abs=3 * PACE_ERROR)
    assert mean(points) == pytest.approx(summary.realised["helped"].score, abs=1.0)


def test_treatments_are_compared_within_people_and_the_planted_effects_are_found(crossed, tmp_path):
    summary, dataset = crossed
    analyze(dataset, tmp_path / "out", include_simulated=True, plan=within_people(tmp_path))
    rows = {row["id"]: row for row in results(tmp_path / "out")["estimates"]}
    realised = {"minutes": summary.realised["helped"].minutes, "points": summary.realised["helped"].score}
    for name, want in realised.items():
        decided = rows[f"{name}.rerandomization"]
        assert tuple(decided["contrast"]) == ("helped", "plain")
        assert decided["estimate"] == pytest.approx(want, abs=3 * PACE_ERROR if name == "minutes" else 1.0)
        assert decided["role"] == "primary"
        assert decided["p_adjusted"] >= decided["p_value"]
        assert rows[f"{name}.mixed_model"]["estimate"] == pytest.approx(decided["estimate"])
        assert {f"{name}.mean.plain", f"{name}.mean.helped"} <= set(rows)
    decided, tested = rows["minutes.rerandomization"], rows["minutes.crossover"]
    assert (decided["estimate"], decided["std_error"]) == pytest.approx((tested["estimate"], tested["std_error"]))
    assert {"period_effects", "period_p", "carryover_p"} <= set(decided["detail"])
    assert rows["learned.crossover"]["estimate"] is None
    assert "measured once for all periods" in rows["learned.crossover"]["note"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "CONSORT extension: crossover trials" in page
    assert "Crossover of 2 treatments" in page
    assert "minutes, helped minus plain: " in page
    assert "2 periods; length, washout and carry-over: to be written by the authors" in page
    assert "Every outcome by arm with" not in page


def within_people(folder: Path) -> Path:
    plan = folder / "plan.toml"
    plan.write_text("""
primary = ["minutes", "points"]
replicates = 199
covariates = []
subgroups = []
[[outcomes]]
id = "minutes"
kind = "continuous"
[[outcomes]]
id = "points"
kind = "continuous"
[[outcomes]]
id = "learned"
column = "retention_points"
kind = "count"
""")
    return plan


def test_a_primary_outcome_that_periods_do_not_have_is_refused(crossed, tmp_path):
    plan = within_people(tmp_path)
    plan.write_text(plan.read_text().replace('"points"]', '"learned"]'))
    with pytest.raises(ProblemsFound, match="'learned' is measured once for all periods"):
        analyze(crossed[1], tmp_path / "out", include_simulated=True, plan=plan)


@pytest.mark.slow
def test_periods_of_an_earlier_version_are_no_finding_and_a_row_names_what_they_lack(crossed, tmp_path):
    shutil.copytree(crossed[1], tmp_path / "data")
    without(tmp_path / "data", "periods", ADDED_LATER["periods"])
    report = verify(tmp_path / "data")
    # What is left tells that the table was rewritten after an export by this version.
    assert {finding.name for finding in report.findings} <= {"record_altered", "manifest_signature", "export_unsigned"}
    assert "which wrote no completed, completion_minutes: they are taken as empty" in "\n".join(report.lines())
    plan = within_people(tmp_path)
    plan.write_text(plan.read_text() + '[[outcomes]]\nid = "completion_minutes"\nkind = "time"\n')
    given = load_plan(plan)
    found = analyse(load(tmp_path / "data", given.columns), given, include_simulated=True)
    rows = {row["id"]: row for row in found["estimates"]}
    assert "the periods lack 'completion_minutes'" in rows["completion_minutes.crossover"]["note"]
    assert rows["minutes.crossover"]["estimate"] is not None


def test_a_changed_period_is_found(crossed, tmp_path):
    _, dataset = crossed
    shutil.copytree(dataset, tmp_path / "data")
    rewrite_table(tmp_path / "data", "periods", lambda text: text.replace(",plain,", ",helped,", 1))
    names = [finding.message for finding in verify(tmp_path / "data").findings if finding.name == "derived_differs"]
    assert any("treatment is helped, the tables give plain" in message for message in names)


def test_other_trials_have_no_table_of_periods(clustered):
    assert "periods" not in tables(clustered[1])
