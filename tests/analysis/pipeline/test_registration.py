"""Every analysis says whether it was in the plan frozen at launch, came by an amendment, or is exploratory."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tomllib
from typing import Any

import pytest
from support.analysis.synthetic_trial import write

from analysis.cli import tables
from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from analysis.pipeline.planning.registration import registration
from analysis.pipeline.prepare import prepare
from analysis.report.checklists.consort import filled
from analysis.report.render import render
from study_app.domain.study.analysis_plan import Plan

LAUNCHED = {"replicates": 199, "covariates": [{"column": "warmup_minutes"}], "subgroups": []}
TOST = {"margins": [{"outcome": "quiz_points", "margin": 2.0}]}
MORE = {"covariates": [{"column": "warmup_minutes"}, {"column": "years_python"}]}
REASON = "a colleague asked for\nequivalence"


def trial(folder, *plans: dict[str, Any], **changes: Any):
    """A dataset whose manifest lists one locked version for each plan, the last one in force."""
    path = write(folder, plan=plans[-1], **changes)
    raw = tomllib.loads((path / "materials" / "study.toml").read_text())
    entries = []
    for number, plan in enumerate(plans):
        text = json.dumps(raw | {"analysis": plan})
        digest = hashlib.sha256(text.encode()).hexdigest()
        name = f"materials/versions/study_{digest[:12]}.json"
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(text)
        reason = "launch" if number == 0 else REASON
        entries.append(
            {"study_hash": digest, "file": name, "materials": {"tasks/a": str(number)}, "from_index": 1,
             "locked_at": f"2026-01-0{number + 1}T09:00:00.000Z", "reason": reason}
        )  # fmt: skip
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(manifest | {"versions": entries}))
    return load(path)


def placed(dataset, plan=None, own_seed=True):
    shown = registration(dataset, prepare(dataset, plan).plan, own_seed=own_seed)
    return shown, lambda name: shown.status(name)


def test_what_the_frozen_plan_asks_for_is_prespecified(tmp_path):
    _, status = placed(trial(tmp_path, LAUNCHED))
    for name in ("quiz_points.rerandomization", "quiz_points.lin.per_protocol", "errors.poisson.ai",
                 "quiz_points.mean.ai", "quiz_items.mixed_logit"):  # fmt: skip
        assert status(name) == ("prespecified", "")


def test_an_added_analysis_names_its_amendment_with_date_and_reason(tmp_path):
    shown, status = placed(trial(tmp_path, LAUNCHED, LAUNCHED | TOST))
    expected = "added by amendment 1 of 2026-01-02: a colleague asked for equivalence"
    assert status("quiz_points.tost") == ("amended", expected)
    assert status("quiz_points.welch_t") == ("prespecified", "")
    [amendment] = shown.to_json([])["amendments"]
    assert amendment["changed"] == ["analysis.margins", "tasks/a"]
    assert (amendment["analyses_added"], amendment["analyses_changed"]) == (["quiz_points.tost"], [])


def test_another_covariate_changes_the_adjusted_rows_and_no_others(tmp_path):
    _, status = placed(trial(tmp_path, LAUNCHED, LAUNCHED, LAUNCHED | MORE))
    assert status("quiz_points.lin")[0] == "amended"
    assert status("quiz_points.lin")[1].startswith("changed by amendment 2 of 2026-01-03")
    assert status("quiz_points.rerandomization")[0] == "amended"
    assert status("quiz_points.welch_t")[0] == "prespecified"
    assert status("completion_minutes.rmst.ratio")[0] == "prespecified"


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("change", "row"),
    [
        ({"replicates": 299}, "quiz_points.rerandomization"),
        ({"level": 0.9}, "quiz_points.welch_t"),
        ({"horizon": 30.0}, "completion_minutes.rmst"),
        ({"multiplicity": {"method": "bonferroni"}}, "completion_minutes.rerandomization"),
        ({"compliance": {"outside_chars": 50}}, "quiz_points.lin.per_protocol"),
        ({"compliance": {"other_ai": False}}, "quiz_points.lin.per_protocol"),
        ({"compliance": {"away_minutes": 1}}, "quiz_points.lin.per_protocol"),
        ({"compliance": {"burst_chars": 10}}, "quiz_points.lin.per_protocol"),
        ({"compliance": {"attention_failed": 0}}, "quiz_points.lin.per_protocol"),
        ({"fallback": {"people_per_covariate": 5}}, "quiz_points.ancova"),
        ({"control": "ai"}, "quiz_items.mixed_logit"),
        ({"primary": ["quiz_points"]}, "quiz_points.rerandomization"),
        ({"subgroups": [{"column": "years_python"}]}, "quiz_points.interaction.years_python"),
        ({"subgroups": [{"column": "years_python"}]}, "quiz_points.subgroup.years_python.2"),
    ],
)
def test_whatever_moves_a_row_makes_it_amended(tmp_path, change, row):
    _, status = placed(trial(tmp_path, LAUNCHED, LAUNCHED | change))
    assert status(row)[0] == "amended"


def test_a_horizon_moves_the_rerandomisation_of_censored_times_alone(tmp_path):
    times = {"id": "completion_minutes", "kind": "time", "event": "completion_event", "censored": "right"}
    plan = LAUNCHED | {"outcomes": [{"id": "quiz_points", "kind": "continuous"}, times]}
    _, status = placed(trial(tmp_path, plan, plan | {"horizon": 30.0}))
    assert status("completion_minutes.rerandomization")[0] == "amended"
    assert status("quiz_points.rerandomization")[0] == "prespecified"
    assert status("completion_minutes.logrank")[0] == "prespecified"


def test_another_label_changes_nothing(tmp_path):
    named = LAUNCHED | {"covariates": [{"column": "warmup_minutes", "label": "Minutes of the warm-up"}]}
    _, status = placed(trial(tmp_path, LAUNCHED, named))
    assert status("quiz_points.lin") == ("prespecified", "")


def test_a_plan_from_elsewhere_is_exploratory_where_no_version_had_it(tmp_path):
    dataset = trial(tmp_path, LAUNCHED, LAUNCHED | TOST)
    shown, status = placed(dataset, Plan.model_validate(LAUNCHED | {"level": 0.8}))
    assert status("quiz_points.welch_t")[0] == "exploratory"
    assert shown.not_run() == ["quiz_points.tost"]
    _, status = placed(dataset, Plan.model_validate(LAUNCHED))
    assert status("quiz_points.welch_t")[0] == "prespecified"


def test_the_launch_plan_run_after_an_amendment_says_what_is_in_force(tmp_path):
    dataset = trial(tmp_path, LAUNCHED, LAUNCHED | MORE)
    _, status = placed(dataset, Plan.model_validate(LAUNCHED))
    assert status("quiz_points.lin") == ("prespecified", "planned at launch; not as the plan in force has it")


def test_nothing_is_prespecified_before_a_launch_or_with_another_seed(tmp_path):
    dataset = trial(tmp_path / "a", LAUNCHED)
    assert placed(dataset, own_seed=False)[1]("quiz_points.lin")[0] == "exploratory"
    draft = load(write(tmp_path / "b", plan=LAUNCHED, state="draft"))
    assert placed(draft)[1]("quiz_points.lin") == ("exploratory", "no plan was frozen: the study is a draft")


def test_results_tables_report_and_checklist_say_it(tmp_path):
    dataset = trial(tmp_path, LAUNCHED, LAUNCHED | TOST, n=24, answers=False)
    result = analyse(dataset)
    rows = {row["id"]: row for row in result["estimates"]}
    assert rows["quiz_points.tost"]["status"] == "amended"
    assert rows["quiz_points.tost"]["role"] == "secondary"
    counts = result["provenance"]["registration"]["rows"]
    assert counts == {"prespecified": len(rows) - 1, "amended": 1, "exploratory": 0}
    table = list(csv.DictReader(io.StringIO(tables(result)["estimates"])))
    assert {row["status"] for row in table} == {"prespecified", "amended"}
    page = render(prepare(dataset), result).html
    section = page.split('<section id="registration">')[1].split("</section>")[0]
    assert "added by amendment 1 of 2026-01-02: a colleague asked for equivalence" in section
    assert "analysis.margins" in section
    where = {item.number: item.where for item in filled(result)}
    assert "1 amended" in where["21d"]
    assert where["10"].startswith("1 amendment, ")
    assert where["3"].startswith("Plan frozen at launch, 2026-01-01")
