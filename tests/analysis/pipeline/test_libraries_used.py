"""The libraries that a report names are those that computed it, and rows fail by name without them."""

import sys

import pytest
from support.analysis.synthetic_trial import write

from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from analysis.pipeline.software import software

FAST = {"replicates": 199}


class Absent:
    """An import hook under which one library is not installed."""

    def __init__(self, name):
        self.name = name

    def find_spec(self, module, path=None, target=None):
        if module == self.name or module.startswith(self.name + "."):
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
        return None


@pytest.fixture
def without(monkeypatch):
    def take_away(name):
        for module in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setattr(sys, "meta_path", [Absent(name), *sys.meta_path])

    return take_away


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return analyse(load(write(tmp_path_factory.mktemp("whole"), plan=FAST)))


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("library", "rows"),
    [
        ("statsmodels", ["quiz_points.lin", "quiz_points.brunner_munzel", "quiz_points.fractional_logit"]),
        ("linearmodels", ["quiz_points.wald_iv", "quiz_points.tsls"]),
    ],
)
def test_without_a_library_the_rows_that_need_it_say_so(tmp_path, without, whole, library, rows):
    known = {row["id"]: row for row in whole["estimates"]}
    assert all(known[name]["estimate"] is not None for name in rows)
    folder = write(tmp_path, plan=FAST)
    without(library)
    found = analyse(load(folder))
    made = {row["id"]: row for row in found["estimates"]}
    for name in rows:
        assert made[name]["estimate"] is None
        assert f"needs a library that is missing (No module named '{library}" in made[name]["note"]
    assert made["quiz_points.rerandomization"]["p_value"] is not None
    assert library in whole["provenance"]["packages"]


def test_without_pingouin_reliability_is_not_computed(tmp_path, without, whole):
    assert whole["psychometrics"]["alpha"]["value"] is not None
    folder = write(tmp_path, plan=FAST)
    without("pingouin")
    found = analyse(load(folder))["psychometrics"]
    assert "pingouin" in str(found)
    assert not (found.get("alpha") or {}).get("value")


def test_software_is_what_the_rows_and_sections_rest_on():
    row = {"method": "logrank", "estimate": None, "p_value": 0.2, "ci_low": None}
    assert {"statsmodels", "numpy", "scipy", "pandas"} <= set(software([row], {}))
    assert not {"linearmodels", "pingouin", "krippendorff", "scikit-learn"} & set(software([row], {}))
    assert "linearmodels" in software([row | {"method": "tsls"}], {})
    assert "linearmodels" not in software([row | {"method": "tsls", "p_value": None}], {})
    assert "pingouin" in software([row], {"psychometrics": {"alpha": 1}})
    assert "anthropic" not in software([row], {"styles": {"codes": 1}})
    assert "krippendorff" in software([row], {"agreement": {"alpha": 1}})
