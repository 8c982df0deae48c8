"""The classical permutation test: p is the share of assignments whose difference is as large, whatever their shape."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from support.analysis.oracle_tables import run

from analysis.estimators.core.request import AnalysisError, AnalysisRequest
from analysis.estimators.numerics.assignments import replicate


def table(sizes, arms):
    rng = np.random.default_rng(9)
    rows = [(f"s{place}", arm, value) for place, (size, arm) in enumerate(zip(sizes, arms, strict=True))
            for value in rng.normal(0, 1, size).round(2)]  # fmt: skip
    return pd.DataFrame(rows, columns=["school", "arm", "y"])


def share_as_large(data, treated):
    """Over every order of the schools' arms."""
    schools = data.drop_duplicates("school").set_index("school")["arm"]

    def difference(order):
        arm = data["school"].map(dict(zip(schools.index, order, strict=True)))
        return data["y"][arm == treated].mean() - data["y"][arm == "a"].mean()

    seen = abs(difference(schools)) - 1e-12
    return float(np.mean([abs(difference(order)) >= seen for order in set(permutations(schools))]))


def listed(found):
    return found if isinstance(found, list) else [found]


SHAPES = {
    "three arms": ([1] * 7, "aaabbcc"),
    "schools of several sizes": ([1, 5, 2, 4, 3], "aabab"),
    "three arms of schools": ([1, 2, 5, 3, 4, 1], "abacbc"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_p_is_the_share_of_assignments_with_as_large_a_difference(shape):
    data = table(*SHAPES[shape])
    found = run("permutation", data, outcome="y", arm="arm", control="a", cluster="school")
    for row in listed(found):
        assert row.p_value == pytest.approx(share_as_large(data, row.contrast[0])), row.contrast
        assert "assignments, of the difference itself" in row.note
    again = run("rerandomization", data, outcome="y", arm="arm", control="a", cluster="school", statistic="mean",
                studentised=False)  # fmt: skip
    assert [row.p_value for row in listed(again)] == [row.p_value for row in listed(found)]


@pytest.mark.parametrize(("end", "outwards"), [("ci_low", -1e-4), ("ci_high", 1e-4)])
def test_the_interval_holds_what_the_same_comparison_does_not_reject(end, outwards):
    data = table([1, 4, 2, 5, 3, 2], "ababab")
    row = run("permutation", data, outcome="y", arm="arm", control="a", cluster="school", level=0.8)

    def p(effect):
        return share_as_large(data.assign(y=data["y"] - effect * (data["arm"] == "b")), "b")

    assert p(getattr(row, end) - outwards) > 0.2 + 1e-9
    assert p(getattr(row, end) + outwards) <= 0.2 + 1e-9


def trial():
    data = pd.DataFrame({"arm": list("abc") * 8, "y": np.arange(24.0)})
    return AnalysisRequest(data=data, method="permutation", outcome="y", arm="arm", control="a", seed=1)


def test_arms_of_a_scheme_may_be_written_as_a_study_file_has_them():
    arms = [{"id": "a", "weight": 3}, {"id": "b", "weight": 1}, {"id": "c", "weight": 2}]
    drawn = replicate(trial(), {"method": "simple", "arms": arms}, 4000)
    shares = [float((drawn.codes == code).mean()) for code in range(3)]
    assert shares == pytest.approx([1 / 2, 1 / 6, 1 / 3], abs=0.01)


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        (["a", "b"], r"has arms \['a', 'b'\], not 'c' of the table"),
        ([{"id": "a"}, {"id": "b"}, {"weight": 1}], "has an arm"),
        ([{"id": "a"}, {"id": "b"}, {"id": "c", "weight": 0}], "has an arm"),
    ],
)
def test_arms_of_a_scheme_that_are_not_those_of_the_table_are_refused(arms, said):
    with pytest.raises(AnalysisError, match=f"scheme: {said}"):
        replicate(trial(), {"method": "simple", "arms": arms}, 100)
