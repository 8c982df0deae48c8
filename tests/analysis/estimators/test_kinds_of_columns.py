"""Columns as colleagues have them: pandas' nullable types, objects, categories, odd indexes, dates, numbers as text."""

import numpy as np
import pandas as pd
import pytest
from support.analysis.oracle_tables import run
from test_estimators_rules import call, people

import analysis
from analysis.estimators.core.request import AnalysisError

METHODS = (
    "lin", "welch_t", "mann_whitney", "cox", "kaplan_meier", "newcombe", "cmh", "poisson", "ordinal_logit", "anova",
    "mixed_model", "wald_iv", "interaction", "lee_bounds", "rerandomization", "embedded_regimes", "second_treatments",
)  # fmt: skip
NAMES = ("arm", "site", "years", "class", "quarter")
SHAPES = {
    "nullable": lambda data: data.convert_dtypes(),
    "objects": lambda data: data.astype(object),
    "categories": lambda data: data.assign(**{name: data[name].astype("category") for name in NAMES}),
    "an index twice": lambda data: data.set_axis([0] * len(data)),
    "an index of two levels": lambda data: data.set_axis(pd.MultiIndex.from_arrays([data["site"], data["years"]])),
    "truth values": lambda data: data.assign(**{name: data[name].astype("boolean") for name in ("done", "event")}),
}


@pytest.fixture(scope="module")
def usual():
    return {method: call(method, people()) for method in METHODS}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_column_of_any_kind_gives_the_same_figures(shape, usual):
    for method in METHODS:
        assert call(method, SHAPES[shape](people())) == usual[method], method


def test_a_second_treatment_may_be_a_number():
    data = people()
    codes = data["second_treatment"].map({"more": 1, "stay": 2})
    for method in ("embedded_regimes", "second_treatments"):
        named, numbered = (call(method, table) for table in (data, data.assign(second_treatment=codes)))
        assert [row.estimate for row in named] == [row.estimate for row in numbered]
        assert [list(row.n.values()) for row in named] == [list(row.n.values()) for row in numbered]


def from_a_day(values):
    return pd.Timestamp("2026-01-01") + pd.to_timedelta(values, unit="D")


@pytest.mark.parametrize("name", ["score", "warmup"])
@pytest.mark.parametrize(
    "made",
    [
        from_a_day,
        lambda values: pd.to_timedelta(values, unit="D"),
        lambda values: from_a_day(values).dt.tz_localize("UTC"),
        lambda values: from_a_day(values).dt.date,
        lambda values: from_a_day(values).dt.to_period("D"),
        lambda values: values.astype(complex),
    ],
    ids=["dates", "durations", "dates of a zone", "days", "periods", "complex"],
)
def test_dates_are_no_numbers(name, made):
    data = people()
    with pytest.raises(AnalysisError, match=rf"column '{name}': holds dates, durations or complex numbers; recode"):
        call("lin", data.assign(**{name: made(data[name])}))


def test_arms_may_be_dates():
    data = people()
    first, second = pd.Timestamp("2026-01-01"), pd.Timestamp("2026-02-01")
    waves = data.assign(arm=data["arm"].map({"control": first, "ai": second}))
    found = run("welch_t", waves, outcome="score", arm="arm", control=first)
    assert found.estimate == run("welch_t", data, outcome="score", arm="arm", control="control").estimate


@pytest.mark.parametrize("word", ["NA", "n/a", "."])
def test_one_word_among_the_numbers_of_a_covariate_makes_no_indicators(word):
    data = people()
    data["warmup"] = data["warmup"].astype(object)
    data.loc[3, "warmup"] = word
    with pytest.raises(AnalysisError, match=rf"'warmup': holds numbers as text, and '{word}'; recode it as numbers"):
        call("lin", data)
    with pytest.raises(AnalysisError, match=r"'warmup': holds numbers as text; recode"):
        call("lin", people().astype({"warmup": str}))


def test_categories_may_be_spelled_with_numbers():
    data = people()
    sites = pd.Series(np.arange(len(data)) % 5)
    spelled = call("ols", data.assign(years=sites.astype(str)))[0]
    assert spelled == call("ols", data.assign(years=sites.astype("category")))[0]
    assert spelled.df == len(data) - 8


def test_doses_may_be_categories():
    data = people()
    doses = pd.Series([0.5, 1.0, 2.0] * 16)
    spelled = call("ols", data.assign(years=doses.astype(str)))[0]
    assert spelled == call("ols", data.assign(years=doses.astype("category")))[0]
    few = data.assign(years=doses.astype(str)).iloc[::4]
    with pytest.raises(AnalysisError, match="'years': holds numbers as text"):
        call("ols", few)


@pytest.mark.parametrize("column", ["arm", "warmup", "site", "class"])
@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_text_is_an_empty_cell(column, blank):
    data = people()
    data[column] = data[column].astype(object)
    data.loc[3, column] = blank
    with pytest.raises(AnalysisError, match=rf"column '{column}': 1 of 48 cells are empty"):
        call("lin", data, cluster="class" if column == "class" else None)


def test_slices_sums_and_copies_of_rows_keep_table_and_plot():
    data = people(60, ("control", "a", "b"))
    rows = analysis.METHODS["welch_t"](data, outcome="score", arm="arm", control="control")
    others = analysis.METHODS["student_t"](data, outcome="score", arm="arm", control="control")
    assert rows[:1].to_frame()["treated"].tolist() == ["a"]
    assert rows[-1].contrast == ("b", "control")
    assert (rows + others).to_frame()["method"].tolist() == ["welch_t", "welch_t", "student_t", "student_t"]
    assert len((rows + others)[1:3].plot().get_yticklabels()) == 2
    assert rows.copy().to_frame().equals(rows.to_frame())
