"""Covariates of tables collected elsewhere: one word among numbers never makes an indicator of each number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.data.load import load
from analysis.data.plain_cells import words_among_numbers
from analysis.pipeline.analyse import analyse
from study_app.domain.errors import UserError
from study_app.domain.study.analysis_plan import Plan

PLAN = {
    "control": "a", "outcomes": [{"id": "y"}], "primary": ["y"], "covariates": [{"column": "age"}], "replicates": 199,
    "subgroups": [], "analyses": [{"outcome": "y", "method": "ancova", "adjusted": True}],
}  # fmt: skip


def people(n=40):
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {"arm": ["a", "b"] * (n // 2), "y": rng.normal(9, 2, n).round(2), "age": rng.uniform(20, 60, n).round(1)}
    )


def analysed(folder, text, **plan):
    path = folder / "trial.csv"
    path.write_text(text, encoding="utf-8")
    return analyse(load(path), Plan.model_validate(PLAN | plan))


def ancova(found):
    return next(row["estimate"] for row in found["estimates"] if row["method"] == "ancova")


@pytest.fixture(scope="module")
def with_empty_cells(tmp_path_factory):
    data = people()
    data.loc[[3, 9], "age"] = np.nan
    return ancova(analysed(tmp_path_factory.mktemp("empty"), data.to_csv(index=False)))


@pytest.mark.parametrize("word", ["NULL", "n/a", "na", "-", "?", "missing", " NA ", "None", "#N/A", "  "])
def test_any_mark_among_numbers_is_missing_and_named(tmp_path, word, with_empty_cells):
    data = people().astype({"age": object})
    data.loc[[3, 9], "age"] = word
    found = analysed(tmp_path, data.to_csv(index=False))
    shown = f"'{word.strip()}'" if word.strip() else "nothing but blanks"
    assert f"trial.csv: cells that say {shown} are taken as missing: age (2)" in found["warnings"]
    assert "Covariate 'age': 2 missing values have the mean and an indicator." in found["deviations"]
    assert ancova(found) == with_empty_cells


@pytest.mark.parametrize("word", ["old", "none", "3,5", "about 40", "40 years"])
@pytest.mark.parametrize("use", ["covariates", "subgroups"])
def test_another_word_among_numbers_is_refused_by_row(tmp_path, word, use):
    data = people().astype({"age": object})
    data.loc[[3, 9], "age"] = word
    with pytest.raises(UserError, match=rf"trial.csv: row 5, column age: '{word}' is not a number \(1 more like it\)"):
        analysed(tmp_path, data.to_csv(index=False), **{"covariates": [], use: [{"column": "age"}]})


def test_categories_that_are_spelled_with_numbers_stay_categories():
    grades = pd.Series(["1", "2", "3", "unknown", "10", None])
    assert not words_among_numbers(grades).any()
    assert not words_among_numbers(pd.Series(["a1", "b2", "7", "none"])).any()
    assert words_among_numbers(pd.Series(["1.5", "2.5", "x"])).tolist() == [False, False, True]


@pytest.mark.parametrize("mark", [";", "\t"])
def test_decimal_commas_are_read_beside_missing_cells_exponents_and_thousands(tmp_path, mark):
    data = people()
    data.loc[3, "age"] = np.nan
    data["y"] = data["y"] * 1e-6
    plain = ancova(analysed(tmp_path, data.to_csv(index=False)))
    text = data.to_csv(index=False, sep=mark, decimal=",", na_rep="NA")
    found = analysed(tmp_path, text)
    assert ancova(found) == pytest.approx(plain, rel=1e-12)
    assert any("with commas for decimal points in y, age" in text for text in found["warnings"])
    thousands = people().assign(age=[f"1.0{n % 90 + 10},5" for n in range(40)])
    read = load(_written(tmp_path, thousands.to_csv(index=False, sep=mark, decimal=",")))
    assert read.participants["age"].tolist() == [1000 + n % 90 + 10 + 0.5 for n in range(40)]


def _written(folder, text):
    path = folder / "trial.csv"
    path.write_text(text)
    return path


def test_separators_within_quoted_names_do_not_count(tmp_path):
    text = people().rename(columns={"y": "score; a; b; c; d"}).to_csv(index=False, quoting=1)
    found = load(_written(tmp_path, text))
    assert list(found.participants.columns)[:3] == ["arm", "score; a; b; c; d", "age"]


def test_excels_line_of_the_separator_is_named(tmp_path):
    with pytest.raises(UserError, match=r"row 1 names the separator, as Excel has it; delete that line"):
        load(_written(tmp_path, "sep=;\n" + people().to_csv(index=False, sep=";")))


def test_arms_that_blanks_alone_tell_apart_are_refused(tmp_path):
    data = people()
    data.loc[3, "arm"] = "b "
    with pytest.raises(UserError, match=r"column arm: 'b', 'b ' differ in blanks alone; write them alike"):
        load(_written(tmp_path, data.to_csv(index=False)))
