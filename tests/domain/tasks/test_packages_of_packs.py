"""Import names that a task's programs may use: what the pack names, and the submodules that its own programs import."""

from __future__ import annotations

import pytest

from study_app.domain.tasks.packs import PackSettings, TaskPack


def packages(*named: str, solution: str = "", starter: str = "") -> tuple[str, ...]:
    settings = PackSettings(id="sort", title="Sort", packages=named)
    return TaskPack(settings, "sort", "", starter, "", solution, ()).packages


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("import scipy.stats", ["scipy.stats"]),
        ("import scipy", []),
        ("import scipy.stats as st, scipy.linalg", ["scipy.stats", "scipy.linalg"]),
        ("from scipy.stats import norm", ["scipy.stats", "scipy.stats.norm"]),
        ("from scipy import stats", ["scipy.stats"]),
        ("from scipy.stats import *", ["scipy.stats"]),
        ("def late():\n    import scipy.signal", ["scipy.signal"]),
        ("import scipy.optimize", []),
        ("from . import stats\nfrom .scipy import stats", []),
        ("import os.path, scipyx.stats", []),
        ("import scipy.stats\nimport", []),
    ],
)
def test_submodules_below_the_packages_follow_from_the_text_of_the_programs(program, found):
    named = ("scipy", "scipy.optimize")
    assert packages(*named, solution=program) == (*named, *found)
    assert packages(*named, starter=program) == (*named, *found)


def test_a_program_that_cannot_be_read_hides_nothing_of_the_other():
    assert packages("scipy", solution="(", starter="import scipy.stats") == ("scipy", "scipy.stats")
