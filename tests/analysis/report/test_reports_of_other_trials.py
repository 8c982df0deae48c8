"""Reports of trials that are not the shipped one: no unit, other levels, direct comparisons, tables from elsewhere."""

from __future__ import annotations

import re
from html import unescape
from types import SimpleNamespace

import pandas as pd
import pytest
from support.analysis.method_rows import plan, row_of, table

from analysis.data.load import load
from analysis.pipeline.analyse import analyse_prepared
from analysis.pipeline.prepare import prepare
from analysis.report.checklists.answers import checklists
from analysis.report.drawings.estimation import estimation
from analysis.report.flow_diagram import diagram
from analysis.report.formats.document import manuscript
from analysis.report.formats.latex import escaped
from analysis.report.pictures import row_name
from analysis.report.render import labels_of, render
from analysis.report.scales import axis_title, bounds_note, decimals, in_unit
from analysis.report.sentences.captions import lost
from analysis.report.sentences.subgroups import level_name, subgroup_name, subgroup_of
from analysis.report.wording import p_phrase
from study_app.domain.study.analysis_plan import Outcome, Plan


def made(folder, data, chosen):
    """Page as text, figures, tables by caption, checklists and result."""
    data.to_csv(folder / "data.csv", index=False)
    prepared = prepare(load(folder / "data.csv", {}), Plan.model_validate(chosen))
    result = analyse_prepared(prepared)
    page = render(prepared, result)
    bare = re.sub("</?(span|b|code)[^>]*>", "", page.html)
    tables = manuscript(prepared, result, labels_of(prepared), (), {}).tables
    answers = {
        name: {item.number: item.where for item in items} for name, items in checklists(prepared, result).items()
    }
    return SimpleNamespace(
        text=re.sub(r"\s+", " ", unescape(re.sub(r"<(style|svg).*?</\1>|<[^>]+>", " ", bare, flags=re.DOTALL))),
        figures={name: unescape(text) for name, text in page.figures.items()},
        tables={each.caption: each for each in tables}, answers=answers, result=result,
    )  # fmt: skip


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A yes-or-no outcome without a unit, some of it missing, and nothing but the table: no strata, no ledger."""
    data = table(effect=0.5).drop(columns=["stratum", "received", "compliant"])
    data["solved"] = data["solved"].astype(object)
    data.loc[data.index[:3], "solved"] = None
    outcomes = [{"id": "solved", "label": "Solved it", "kind": "binary"}]
    chosen = plan(
        {"outcome": "solved", "method": "rerandomization"}, outcomes=outcomes, multiplicity={"method": "none"}
    )
    chosen["covariates"], chosen["level"] = [], 0.9
    beside = ("newcombe", "tipping_point")
    chosen["analyses"] += [{"outcome": "solved", "method": name, "role": "sensitivity"} for name in beside]
    return made(tmp_path_factory.mktemp("elsewhere"), data, chosen)


def test_no_figure_and_no_caption_has_the_brackets_of_a_unit_that_is_not_there(elsewhere):
    assert [name for name, text in elsewhere.figures.items() if "()" in text] == []
    assert ", in ." not in elsewhere.text
    assert axis_title("Score", "") == "Score"
    assert axis_title("Score", "points") == "Score (points)"


def test_a_yes_or_no_outcome_is_counted_and_its_difference_is_in_percentage_points(elsewhere):
    row = next(row for row in elsewhere.result["estimates"] if row["id"] == "solved.rerandomization")
    assert row["unit"] == "proportion"
    assert "percentage points (90% interval" in elsewhere.text
    assert "n/N (%)" in elsewhere.text
    assert "mean (SD)" not in elsewhere.text.partition("Baseline")[0].partition("Contents")[2]
    assert re.search(r"new: \d+/\d+ \(\d+%\); old: \d+/\d+ \(\d+%\)\.", elsewhere.text)
    assert "Difference from old (percentage points)" in elsewhere.figures["solved_estimation"]
    assert "Solved it (%)" in elsewhere.figures["solved_estimation"]
    assert "Added to each imputed outcome of new (percentage points)" in elsewhere.figures["solved_tipping"]
    tip = next(row for row in elsewhere.result["estimates"] if row["method"] == "tipping_point")["estimate"]
    said = f"{100 * tip:.2f}".replace("-", "−") if tip is not None else "no shift drawn here tips it"
    assert said in elsewhere.figures["solved_tipping"]
    assert in_unit("proportion", 0.05) == "5 percentage points"


def test_captions_and_verdicts_name_the_level_of_the_plan(elsewhere):
    assert "Estimates with 90% intervals where a row names no other level, in percentage points." in elsewhere.text
    assert "share of each arm with its 90% interval (Wilson)" in elsewhere.text
    assert "By the plan's rule at 10%," in elsewhere.text
    assert "95%" not in elsewhere.text.partition("Provenance EXPLORATORY")[0].replace("95% interval", "")


def test_a_table_from_elsewhere_answers_nothing_of_how_its_trial_was_run(elsewhere):
    consort = elsewhere.answers["CONSORT 2025"]
    unknown = [number for number, where in consort.items() if where == "To be written by the authors"]
    assert {"2", "12a", "12b", "13", "16b", "17a", "17b", "18", "19", "23a", "23b", "24a", "24b"} <= set(unknown)
    assert "ratio 1:1" not in consort["9"]
    assert "study file" not in " ".join(consort.values()).lower()
    assert consort["22a"].startswith("60 allocated; analysed: Solved it ")
    for words in ("Assessed for eligibility", "Left during the study", "assessed,"):
        assert words not in elsewhere.text
    assert elsewhere.tables["Flow of participants"].note.startswith("60 rows, 60 allocated.")


def test_the_design_says_what_was_done_and_not_what_other_plans_do(elsewhere):
    assert "199 re-randomisations by permuting labels among all" in elsewhere.text
    assert "strata as main effects" not in elsewhere.text
    assert "None over" not in elsewhere.text
    assert elsewhere.answers["SAMPL guidelines"]["5"] == "One primary test"
    assert "No subgroup was compared." in elsewhere.text
    assert "Multiple imputation, Lee's bounds" not in elsewhere.text
    assert lost([{"method": "worst_case", "role": "sensitivity"}]) == "The worst case is under Sensitivity."


def test_people_without_an_outcome_are_said_to_lack_it_by_its_title(elsewhere):
    assert "missing: Solved it" in str([row[0] for row in elsewhere.tables["Flow of participants"].rows])
    assert "left out: Solved it missing" in elsewhere.text
    assert "solved missing" not in elsewhere.text


@pytest.fixture(scope="module")
def direct(tmp_path_factory):
    """Three arms, of which two pairs are compared, on a scale of thousandths; subgroups by a dose."""
    data = table(("old", "new", "other"), n=90, effect=0.5)
    data["score"] /= 1000
    data["dose"] = [0.5 if number % 2 else 1.5 for number in range(len(data))]
    outcomes = [{"id": "score", "label": "Score", "unit": "kg"}]
    rows = [
        {"outcome": "score", "method": "welch_t", "contrast": pair} for pair in (["new", "other"], ["other", "old"])
    ]
    chosen = plan(*rows, outcomes=outcomes, multiplicity={"method": "none"})
    chosen["analyses"] += [
        {"outcome": "score", "method": "lee_bounds", "role": "sensitivity"},
        {"outcome": "score", "method": "noninferiority", "role": "sensitivity", "options": {"margin": 0.0005}},
    ]
    chosen["subgroups"], chosen["covariates"] = [{"column": "dose", "label": "Dose"}], []
    return made(tmp_path_factory.mktemp("direct"), data, chosen)


def test_a_direct_comparison_is_with_the_arm_that_it_names(direct):
    assert "new against other; other against old" in direct.text
    assert "each compared with old" not in direct.text
    assert direct.answers["CONSORT extension: multi-arm trials"]["3a"] == "3 arms: new against other; other against old"
    assert "Compared with" in direct.text
    drawn = direct.figures["score_estimation"]
    assert "Difference from" not in drawn
    assert "new minus other" in drawn
    assert "other minus old" in drawn
    assert "Unadjusted, Welch (decides) · new minus other" in direct.figures["score_sensitivity"]
    (entry,) = direct.result["outcomes"]
    assert [effect["contrast"] for effect in entry["effects"]] == [["new", "old"], ["other", "old"], ["new", "other"]]
    assert {row[4].partition("[")[2] for row in direct.tables["Every outcome by arm"].rows} == {
        "new against other]", "other against old]", "new against old]"
    } - {"new against old]"}  # fmt: skip


def test_a_scale_of_thousandths_keeps_its_digits_in_sentences_tables_and_figures(direct):
    row = next(row for row in direct.result["estimates"] if row["id"] == "score.welch_t.new_vs_other")
    digits = decimals(row["ci_low"], row["ci_high"])
    assert digits == 5
    text = f"{row['estimate']:.{digits}f}".replace("-", "−")
    assert direct.text.count(text) >= 3
    assert text.lstrip("−") in direct.figures["score_sensitivity"]
    assert "0.00 kg" not in direct.text
    assert "(SD 0.00," not in direct.text


def test_an_interval_of_another_level_says_so_on_the_page_and_in_the_forest(direct):
    assert re.search(r"to −?0\.\d+, 90%", direct.text)
    assert "Non-inferiority test · new minus old, 90%" in direct.figures["score_sensitivity"]


def test_subgroups_stand_under_their_labels_with_levels_whole_in_tables_and_figures(direct):
    names = [row[1] for row in direct.tables["Secondary analyses"].rows]
    assert "Dose: 0.5 · new" in names
    assert "Dose, interaction" in names
    assert "0.5 · new" in direct.figures["score_subgroups"]
    row = {"id": "y.subgroup.a.b.1.high", "contrast": ["high", "low"]}
    found = subgroup_of(row, {"a": "A", "a.b": "B"})
    assert (found.column, level_name(found, {"a.b=1": "One", "high": "High"})) == ("a.b", "One · High")
    assert subgroup_name({"id": "y.subgroup.sex.f", "contrast": ["high", "low"]}, {}, {"sex": "Sex"}) == "Sex: f"


def test_without_a_rule_for_several_tests_none_is_named(direct):
    assert "no adjustment for several tests, 2 primary tests" in direct.text
    assert "p, none" not in direct.tables["Primary analyses"].header


def test_bounds_within_cells_are_named_so_with_several_arms():
    row = {"id": "y.lee_bounds.covariates.b", "method": "lee_bounds", "role": "sensitivity", "population": "itt"}
    row |= {"contrast": ["b", "a"], "note": ""}
    assert row_name(row, {}, several=True) == "Lee bounds, within cells · b"


def test_the_flow_says_of_each_primary_outcome_who_is_missing_and_why():
    arm = {"allocated": 9, "received": None, "discontinued": 2, "analysed": 8, "excluded": {"no quiz_points": 1}}
    late = {"analysed": 6, "excluded": {"data withdrawn": 1, "no late_points": 2}}
    flow = {
        "assessed": 18, "allocated": 18, "excluded": {}, "arms": {"a": arm, "b": arm},
        "outcomes": {"quiz_points": {"a": arm, "b": arm}, "late_points": {"a": late, "b": late}},
    }  # fmt: skip
    titles = {"quiz_points": "Quiz", "late_points": "Late quiz"}
    drawn = diagram(flow, {"a": "A", "b": "B"}, hidden=False, titles=titles)
    lines = [(line.words, line.figure) for box in drawn.boxes for line in box.lines]
    start = lines.index(("Not analysed", ""))
    assert lines[start + 1 : start + 6] == [
        ("Quiz", "1"), ("· missing: Quiz", "1"), ("Late quiz", "3"), ("· data withdrawn", "1"),
        ("· missing: Late quiz", "2"),
    ]  # fmt: skip
    assert lines[lines.index(("Analysed", "")) + 1 :][:2] == [("Quiz", "8"), ("Late quiz", "6")]


def test_names_that_pdflatex_would_stop_at_or_misread_are_written_so_that_it_does_not():
    assert escaped("[b] & *_α") == r"{[}b{]} \& {*}\_\ensuremath{\alpha}"
    assert escaped("Größe 50 %") == r"Größe 50 \%"
    assert escaped("a--b, 中 – c") == r"a-{}-b, {[}U+4E2D{]} -- c"
    assert row_of("welch_t")["outcome"] == "score"


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """Primary rows that are no differences: of right-censored times, ranks, and an arm without a single event."""
    data = table(effect=0.5).drop(columns=["stratum", "received", "compliant"])
    data["relapsed"] = [int(arm == "old" and place < 12) for place, arm in enumerate(data["arm"])]
    outcomes = [
        {"id": "minutes", "label": "Time to relief", "kind": "time", "unit": "min", "event": "done", "cap": 30.0},
        {"id": "liked", "label": "Liking", "kind": "ordinal"},
        {"id": "relapsed", "label": "Relapse", "kind": "binary"},
    ]
    rows = [
        {"outcome": "minutes", "method": "logrank"},
        {"outcome": "liked", "method": "mann_whitney"},
        {"outcome": "relapsed", "method": "fisher"},
    ]
    data.loc[data.index[:5], "done"] = 0
    data.loc[data.index[:5], "minutes"] = 10.0
    return made(tmp_path_factory.mktemp("ranks"), data, plan(*rows, outcomes=outcomes, covariates=[]))


def test_a_primary_test_without_an_estimate_says_its_adjusted_p_too(ranks):
    rows = {row["id"]: row for row in ranks.result["estimates"]}
    for name, words in (("minutes.logrank", "Log-rank test"), ("relapsed.fisher", "Fisher's exact test")):
        p, adjusted = (p_phrase(rows[name][key]) for key in ("p_value", "p_adjusted"))
        assert f"{words}: {p}; adjusted over 3 primary tests by Holm: {adjusted}" in ranks.text
    assert rows["relapsed.fisher"]["estimate"] is None
    assert "odds ratio: 95% interval 0.00 to " in ranks.text


def test_ranks_are_said_to_be_of_medians_and_no_chance_is_a_difference(ranks):
    assert re.search(r"new: median \d[\d.]* \[[\d.]+, [\d.]+\], n = 30; old: median", ranks.text)
    assert "new against old: 0." in ranks.text
    assert "Mann-Whitney test p " in ranks.text
    assert "Log-rank test; Mann-Whitney test; Fisher's exact test" in ranks.text
    assert "median [quartiles], n or n/N (%)" in ranks.text
    assert "p, adjusted Effect size" in ranks.text


def test_no_axis_of_differences_is_drawn_where_no_difference_decides(ranks):
    assert "minutes_estimation" not in ranks.figures, "censored times have no mean"
    assert "minutes_survival" in ranks.figures
    for name in ("liked", "relapsed"):
        assert "Difference from" not in ranks.figures[f"{name}_estimation"]
    assert "Right: the difference that the plan decides on" not in ranks.text


def test_over_clusters_no_line_of_a_forest_names_an_error_that_is_not_used():
    row = {"id": "y.lin", "method": "lin", "role": "sensitivity", "population": "itt", "contrast": ["b", "a"]}
    row |= {"note": "", "detail": {"clusters": 12}}
    assert row_name(row, {}, several=False) == "Lin-adjusted"
    assert row_name(row | {"method": "welch_t", "id": "y.welch_t"}, {}, several=False) == "Unadjusted"
    assert row_name(row | {"detail": {}}, {}, several=False) == "Lin-adjusted, HC3"


def test_bounds_of_shares_and_what_covers_them_are_on_one_scale():
    row = {"method": "lee_bounds", "unit": "proportion", "estimate": None, "ci_low": 0.01, "ci_high": 0.02}
    row |= {"contrast": ["b", "a"], "ci_level": 0.95, "detail": {"imbens_manski": [-0.19, 0.21]}}
    assert bounds_note(row) == "95% interval −19.0 to 21.0"


@pytest.mark.parametrize(("kind", "unit"), [("bounded", "proportion"), ("binary", "solved"), ("binary", "proportion")])
def test_shares_are_drawn_in_percent_under_an_axis_in_percent(kind, unit):
    outcome = Outcome(id="share", label="Share", kind=kind, unit=unit)
    values = [0.25, 0.75, 0.5, 0.5] if kind == "bounded" else [0, 1, 1, 0]
    people = pd.DataFrame({"arm": ["a", "a", "b", "b"], "share": values})
    mean = {"estimate": 0.5, "ci_low": 0.4, "ci_high": 0.6}
    axes = estimation(people, outcome, ["a", "b"], {"a": "A", "b": "B"}, [], {"a": mean}).axes[0]
    assert axes.get_xlabel() == "Share (%)"
    assert [list(line.get_xdata()) for line in axes.lines] == [pytest.approx([40, 60]), pytest.approx([50])]


def test_a_p_beside_a_simultaneous_interval_comes_with_the_adjusted_one(tmp_path):
    chosen = plan({"outcome": "score", "method": "welch_t"})
    chosen["analyses"] += [{"outcome": "score", "method": "dunnett", "role": "sensitivity"}]
    found = made(tmp_path, table(("old", "new", "third"), effect=0.4), chosen)
    row = next(row for row in found.result["estimates"] if row["method"] == "dunnett")
    shown = f"{row['p_value']:.3f} (adjusted {row['p_adjusted']:.3f})"
    assert row["p_value"] < row["p_adjusted"]
    assert shown in found.text
    assert any(shown in line for line in found.tables["Sensitivity analyses"].rows)
