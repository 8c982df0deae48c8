"""Lee's bounds within cells of a covariate, where some people have no value of it."""

from __future__ import annotations

from support.analysis.method_rows import plan, table

from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from study_app.domain.study.analysis_plan import Plan


def bounds(folder, data):
    data.to_csv(folder / "data.csv", index=False)
    chosen = plan({"outcome": "score", "method": "welch_t"}, covariates=[{"column": "years"}])
    chosen["analyses"] += [{"outcome": "score", "method": "lee_bounds", "role": "sensitivity", "adjusted": True}]
    rows = analyse(load(folder / "data.csv", {}), Plan.model_validate(chosen))["estimates"]
    return next(row for row in rows if row["method"] == "lee_bounds")


def test_people_without_a_level_are_in_the_cell_of_the_level_nearest_to_the_mean(tmp_path):
    data = table().drop(columns="stratum").assign(years=lambda found: found.index // 2 % 4)
    data.loc[data.index[data["arm"] == "new"][:8], "score"] = None
    data["years"] = data["years"].astype(float)
    data.loc[[6, 14, 22], "years"] = None  # all of one arm, so that they alone cannot be a cell
    found = bounds(tmp_path, data)
    nearest = round(data["years"].mean())
    assert found["ci_low"] < found["ci_high"]
    assert found == bounds(tmp_path, data.fillna({"years": nearest}))
    assert "tightened over 4 cells" in found["note"]
