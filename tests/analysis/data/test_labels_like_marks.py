"""Labels of a table collected elsewhere that look like marks of missing values or like numbers stay what they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.data.load import load, named_words
from analysis.pipeline.analyse import analyse
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.analysis_plan import Plan

PLAN = {"outcomes": [{"id": "y"}], "primary": ["y"], "covariates": [], "replicates": 199, "subgroups": [],
        "analyses": [{"outcome": "y", "method": "ancova", "adjusted": True}]}  # fmt: skip


def people(n=48, arms=("a", "b")):
    rng = np.random.default_rng(4)
    return pd.DataFrame({"arm": [arms[k % len(arms)] for k in range(n)], "y": rng.normal(9, 2, n).round(2)})


def analysed(folder, data, **plan):
    path = folder / "trial.csv"
    path.write_text(data.to_csv(index=False), encoding="utf-8")
    chosen = Plan.model_validate(PLAN | plan)
    return analyse(load(path, chosen.columns, named_words(chosen)), chosen)


def ancova(found):
    return next(row["estimate"] for row in found["estimates"] if row["method"] == "ancova")


@pytest.mark.parametrize("word", ["null", "NA", "None", "nan"])
def test_an_arm_that_the_plan_names_is_never_a_gap(tmp_path, word):
    usual = analysed(tmp_path, people(), control="a")
    found = analysed(tmp_path, people(arms=(word, "b")), control=word)
    assert {arm: each["allocated"] for arm, each in found["flow"]["arms"].items()} == {word: 24, "b": 24}
    assert ancova(found) == ancova(usual)
    assert not any("taken as missing" in warning for warning in found["warnings"])
    columns = people(arms=(word, "b")).rename(columns={"arm": "group"})
    mapped = analysed(tmp_path, columns, control=word, columns={"arm": "group"})
    assert ancova(mapped) == ancova(usual)


def test_the_arms_of_a_contrast_are_named_too(tmp_path):
    data = people(n=60, arms=("a", "b", "NULL"))
    row = {"outcome": "y", "method": "welch_t", "role": "primary", "contrast": ["NULL", "b"]}
    found = analysed(tmp_path, data, control="a", analyses=[row])
    assert found["flow"]["arms"]["NULL"]["allocated"] == 20


def test_where_no_arm_has_that_name_it_is_a_gap_and_a_warning_says_how_to_name_it(tmp_path):
    data = people()
    data.loc[[3, 9], "arm"] = "NA"
    found = analysed(tmp_path, data, control="a")
    assert set(found["flow"]["arms"]) == {"a", "b"}
    (said,) = [warning for warning in found["warnings"] if "taken as missing" in warning]
    assert said.endswith(
        "arm (2); a label among them is kept where the plan names it: an arm as control, a level in scores"
    )


@pytest.mark.parametrize("name", ["stratum", "site"])
def test_a_mapped_column_of_groups_has_no_marks(tmp_path, name):
    data = people().assign(country=["NA", "DE", "FR"] * 16)
    found = analysed(tmp_path, data, control="a", columns={name: "country"}, covariates=[{"column": name}])
    assert not any("taken as missing" in warning for warning in found["warnings"])
    spelled = data.assign(country=data["country"].replace("NA", "EU"))
    usual = analysed(tmp_path, spelled, control="a", columns={name: "country"}, covariates=[{"column": name}])
    assert ancova(found) == pytest.approx(ancova(usual))


def test_a_level_with_a_score_is_never_a_gap(tmp_path):
    data = people().assign(help=["None", "null", "much"] * 16)
    scores = [{"column": "help", "scores": ["null", "None", "much"]}]
    found = analysed(tmp_path, data, control="a", covariates=scores)
    assert not any("taken as missing" in warning for warning in found["warnings"])
    assert not any("missing" in line for line in found["deviations"])


@pytest.mark.parametrize("columns", [{}, {"site": "centre"}], ids=["site", "mapped"])
def test_codes_of_sites_are_names_whether_one_has_a_letter_or_none(tmp_path, columns):
    codes = [str(101 + k % 14) for k in range(56)]
    name = columns.get("site", "site")
    plan = {"control": "a", "columns": columns, "covariates": [{"column": "site"}], "subgroups": [{"column": "site"}],
            "fallback": {"max_leverage": 1, "people_per_covariate": 1}}  # fmt: skip
    plain = analysed(tmp_path, people(56).assign(**{name: codes}), **plan)
    letter = analysed(tmp_path, people(56).assign(**{name: [c.replace("107", "107b") for c in codes]}), **plan)
    words = analysed(tmp_path, people(56).assign(**{name: [f"s{c}" for c in codes]}), **plan)
    assert ancova(plain) == pytest.approx(ancova(words))
    assert ancova(letter) == pytest.approx(ancova(words))


def test_an_outcome_in_the_column_of_sites_is_refused(tmp_path):
    data = people().assign(site=range(48))
    with pytest.raises(
        ProblemsFound, match="column site: is where people took part, and the plan has an outcome in it"
    ):
        analysed(tmp_path, data, control="a", outcomes=[{"id": "site"}], primary=["site"], analyses=[])
