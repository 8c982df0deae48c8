"""Tables of a manuscript: each interval under its own level, each planned row in a table, no ratio as a difference."""

from __future__ import annotations

from support.analysis.method_rows import ROWS, plan, row_of, table

from analysis.data.load import load
from analysis.pipeline.analyse import analyse_prepared
from analysis.pipeline.prepare import prepare
from analysis.report.formats.document import manuscript
from analysis.report.render import labels_of, render
from study_app.domain.study.analysis_plan import Plan


def made(folder, *planned, **keys):
    """Result, tables of the manuscript by caption, and the page."""
    table(effect=0.5).to_csv(folder / "data.csv", index=False)
    prepared = prepare(load(folder / "data.csv", {}), Plan.model_validate(plan(*planned, **keys)))
    result = analyse_prepared(prepared)
    found = manuscript(prepared, result, labels_of(prepared), (), {})
    return result, {each.caption: each for each in found.tables}, prepared


def test_an_interval_of_another_level_says_so_and_the_p_of_a_margin_is_not_that_of_the_effect(tmp_path):
    beside = {"outcome": "score", "method": "welch_t", "role": "sensitivity"}
    result, tables, prepared = made(tmp_path, row_of("noninferiority"), beside)
    (row,) = tables["Primary analyses"].rows
    assert ", 90%)" in row[4]
    (usual,) = [each for each in tables["Sensitivity analyses"].rows if each[1] == "Unadjusted means (Welch)"]
    assert "%" not in usual[4]
    (score,) = [each for each in tables["Every outcome by arm"].rows if each[0].startswith("score")]
    assert ", 90%)" in score[3]
    assert score[5] == "–"
    assert ", 90%)" in render(prepared, result).html


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
