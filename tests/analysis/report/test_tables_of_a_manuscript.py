"""Tables of a manuscript: each interval under its own level, each planned row in a table, no ratio as a difference."""

from __future__ import annotations

import pytest
from support.analysis.method_rows import ROWS, plan, row_of, table

from analysis.data.load import load
from analysis.pipeline.analyse import analyse_prepared
from analysis.pipeline.prepare import prepare
from analysis.report.formats.document import manuscript
from analysis.report.render import labels_of, render
from analysis.report.sentences.decision import verdict
from study_app.domain.study.analysis_plan import Plan


def made(folder, *planned, **keys):
    """Result, tables of the manuscript by caption, and the page."""
    table(effect=0.5).to_csv(folder / "data.csv", index=False)
    prepared = prepare(load(folder / "data.csv", {}), Plan.model_validate(plan(*planned, **keys)))
    result = analyse_prepared(prepared)
    found = manuscript(prepared, result, labels_of(prepared), (), {})
    return result, {each.caption: each for each in found.tables}, prepared


@pytest.fixture(scope="module")
def at_97_5(tmp_path_factory):
    """The same and the rendered page, of a plan with a level between whole percents."""
    beside = [row_of(name, role="sensitivity") for name in ("welch_t", "wald_iv")]
    found = made(tmp_path_factory.mktemp("level"), row_of("noninferiority"), *beside, level=0.975)
    return *found, render(found[2], found[0])


def test_an_interval_of_another_level_says_so_and_the_p_of_a_margin_is_not_that_of_the_effect(at_97_5):
    _, tables, _, page = at_97_5
    (row,) = tables["Primary analyses"].rows
    assert ", 95%)" in row[4]
    (usual,) = [each for each in tables["Sensitivity analyses"].rows if each[1] == "Unadjusted means (Welch)"]
    assert "%" not in usual[4]
    (score,) = [each for each in tables["Every outcome by arm"].rows if each[0].startswith("score")]
    assert ", 95%)" in score[3]
    assert score[5] == "–"
    assert ", 95%)" in page.html


def test_a_level_between_whole_percents_is_said_with_its_decimal_and_a_figure_names_each_level_it_draws(at_97_5):
    result, _, prepared, page = at_97_5
    assert "Estimates with 97.5% intervals where a row names no other level" in page.html
    assert "Anderson-Rubin 97.5% set" in page.html
    (row,) = [each for each in result["estimates"] if each["method"] == "welch_t"]
    assert verdict(row, labels_of(prepared), 0.025).startswith("By the plan's rule at 2.5%, ")
    forest = page.figures["score_sensitivity"]
    assert "Non-inferiority test (decides), 95%" in forest
    assert "Unadjusted, Welch<" in forest


def test_a_planned_equivalence_test_of_a_primary_outcome_and_its_subgroups_are_in_a_table(tmp_path):
    keys = {"margins": [{"outcome": "score", "margin": 2.0}], "subgroups": [{"column": "stratum"}]}
    result, tables, _ = made(tmp_path, row_of("welch_t"), **keys)
    names = [row[1] for row in tables["Secondary analyses"].rows]
    assert "Equivalence test" in names
    listed = sum(len(tables[f"{name} analyses"].rows) for name in ("Primary", "Secondary", "Sensitivity"))
    assert listed == sum(row["method"] != "mean" for row in result["estimates"])


RELATIVE = [name for name, said in ROWS.items() if said.null == "a ratio of one"]


def test_a_ratio_or_a_change_of_an_effect_never_stands_in_the_place_of_an_absolute_effect(tmp_path):
    usual = {"score": "lin", "minutes": "welch_t", "solved": "newcombe", "errors": "mann_whitney"}
    beside = [{"outcome": name, "method": method, "role": "sensitivity"} for name, method in usual.items()]
    result, _, _ = made(tmp_path, *(row_of(name) for name in (*RELATIVE, "interaction")), *beside)
    found = {entry["outcome"]: effect["absolute"] for entry in result["outcomes"] for effect in entry["effects"]}
    assert {name: row["method"] for name, row in found.items() if row} == usual


def test_a_table_from_elsewhere_shows_its_own_names_of_arms_and_the_plans_of_columns(tmp_path):
    data = table(effect=0.5)
    keys = {"covariates": [{"column": "age", "label": "Warm-up_% & <y>"}]}
    keys["subgroups"] = [{"column": "stratum", "label": "Site #1"}]
    names = {arm: f"{arm} -> <b>{arm}</b>" for arm in data["arm"].unique()}
    data.assign(arm=data["arm"].map(names)).to_csv(tmp_path / "data.csv", index=False)
    chosen = plan(row_of("welch_t"), **keys)
    prepared = prepare(
        load(tmp_path / "data.csv", {}), Plan.model_validate(chosen | {"control": names[chosen["control"]]})
    )
    result = analyse_prepared(prepared)
    tables = {each.caption: each for each in manuscript(prepared, result, labels_of(prepared), (), {}).tables}
    assert set(tables["Flow of participants"].header[1:]) == set(names.values())
    assert {row[0].partition(",")[0] for row in tables["Baseline characteristics"].rows} >= {
        "Warm-up_% & <y>",
        "Site #1",
    }
    page = render(prepared, result)
    assert "Warm-up_% &amp; &lt;y&gt;" in page.html
    assert ", then " not in page.html
    assert "Site #1" in page.figures["score_subgroups"]
