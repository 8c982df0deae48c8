"""How people felt: means by minute, and arms compared by one figure of each person, against scipy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.data.dataset import DeclaredArm
from analysis.data.view import View
from analysis.pipeline.description.affect import SCALES, _stage


def stage(rows: pd.DataFrame, control: str = "plain", **more: bool):
    arms = (DeclaredArm(control), *(DeclaredArm(arm) for arm in ("plain", "helped", "led") if arm != control))
    view = View(pd.DataFrame(), arms, {}, False, False, ("real",), ())  # type: ignore[arg-type]
    return _stage(view, rows, 0.9, **{"apart": True, **more})


def probes(people: int = 12) -> pd.DataFrame:
    """Answers at three minutes; some gave none at the last, one gave one only, and one is alone in the third arm."""
    rng = np.random.default_rng(3)
    rows = []
    for person in range(people + 1):
        arm = "led" if person == people else ("plain", "helped")[person % 2]
        for place, minute in enumerate((5.0, 15.0, 25.0)):
            answered = person != 0 or place == 0
            valence = float(rng.integers(1, 8)) if answered and (place < 2 or person % 3) else np.nan
            outcome = "answered" if answered else "skipped"
            own = {"participant_id": f"p{person}", "arm": arm, "minute": minute, "seconds": 2.0 + person}
            rows.append(own | {"outcome": outcome} | dict.fromkeys(SCALES, valence))
    return pd.DataFrame(rows)


def test_arms_are_compared_by_each_persons_mean_and_change_in_ten_minutes():
    rows = probes()
    people = rows.dropna(subset=["valence"]).groupby(["arm", "participant_id"])
    mean = people["valence"].mean()
    slope = people.apply(
        lambda own: 10 * stats.linregress(own["minute"], own["valence"]).slope if len(own) > 1 else None
    )
    found = stage(rows)["scales"]["valence"]["differences"]
    assert [(row["measure"], row["contrast"]) for row in found] == [
        ("mean", ["helped", "plain"]), ("slope", ["helped", "plain"])
    ]  # fmt: skip
    for row, figures in zip(found, (mean, slope.dropna()), strict=True):
        welch = stats.ttest_ind(figures["helped"], figures["plain"], equal_var=False)
        low, high = welch.confidence_interval(0.9)
        assert row["estimate"] == pytest.approx(figures["helped"].mean() - figures["plain"].mean())
        assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))
        assert row["n"] == {arm: len(figures[arm]) for arm in ("helped", "plain")}


def test_without_the_control_or_apart_nothing_is_compared_and_means_by_minute_stay():
    rows = probes()
    assert stage(rows, apart=False)["scales"]["valence"]["differences"] == []
    made = stage(rows[rows["arm"] != "plain"])["scales"]["calm_desperate"]
    assert made["differences"] == []
    own = rows[(rows["arm"] == "helped") & (rows["minute"] == 15)]["valence"]
    (row,) = [each for each in made["course"] if (each["arm"], each["minute"]) == ("helped", 15)]
    low, high = stats.t.interval(0.9, len(own) - 1, own.mean(), stats.sem(own))
    assert (row["mean"], row["ci_low"], row["ci_high"]) == pytest.approx((own.mean(), low, high))
    assert len(made["course"]) == 9


def test_what_became_of_the_probes_is_counted_by_arm():
    plain, helped, led = stage(probes())["asked"]
    assert (plain["people"], plain["shown"], plain["answered"], plain["skipped"], plain["lapsed"]) == (6, 18, 16, 2, 0)
    assert plain["median_seconds"] == np.median([2.0] + [2.0 + person for person in (2, 4, 6, 8, 10) for _ in range(3)])
    assert (helped["arm"], helped["answered"], led["people"]) == ("helped", 18, 1)
