"""Primary rows that decide nothing, or the same thing twice: refused by `check` and `launch`."""

from __future__ import annotations

from collections.abc import Iterator

from study_app.domain.errors import Problem
from study_app.domain.study.analysis_plan import Analysis, Plan

WITHOUT_P = ("bayes_factor", "kaplan_meier", "lee_bounds", "rmst_by_arm", "tipping_point", "worst_case")
"""Methods that state bounds, curves or evidence and no p value, which the multiplicity rule is about."""
OF_COLUMNS_ALONE = ("pearson", "spearman")
"""Methods that relate two columns over all people and compare no arms."""

ONE_ROW = (
    "anova", "welch_anova", "kruskal", "logrank", "stratified_logrank", "difference_of_differences", "tsls",
    *OF_COLUMNS_ALONE,
)  # fmt: skip
"""Methods with one row however many arms there are."""


def tests_of(row: Analysis, arms: int) -> int:
    """Return how many tests of the family a primary row is: one for each contrast, whatever scales it is stated on."""
    if row.contrast or row.method in ONE_ROW:
        return 1
    return arms * (arms - 1) // 2 if row.method == "tukey_hsd" else max(arms - 1, 1)


def family_problems(plan: Plan, file: str) -> list[Problem]:
    """Return what keeps primary rows of a plan from deciding anything, by key."""
    rows = [row for row in plan.analyses if row.role == "primary"]
    found = [*_undecided(rows), *_same(rows, plan)]
    return [Problem(file, f"analysis.analyses.{name}.{key}", what, remedy) for name, key, what, remedy in found]


def _undecided(rows: list[Analysis]) -> Iterator[tuple[str, str, str, str]]:
    for row in rows:
        if row.method in WITHOUT_P:
            what = f"{row.method} has no p value, so a primary row of it decides nothing"
            yield row.id, "role", what, 'say role = "sensitivity", or choose another method'
        elif row.method in OF_COLUMNS_ALONE:
            what = f"{row.method} relates two columns and compares no arms, so it says nothing of the treatment"
            yield row.id, "role", what, 'say role = "exploratory", or choose another method'


def _same(rows: list[Analysis], plan: Plan) -> Iterator[tuple[str, str, str, str]]:
    """Rows that differ by their label or the direction of their contrast: one hypothesis that counts twice."""
    known: dict[tuple[object, ...], str] = {}
    for row in rows:
        options = tuple(sorted((name, repr(value)) for name, value in row.options.items()))
        asked = (plan.outcome(row.outcome).name, row.method, row.population, row.adjusted, options)
        key = (*asked, frozenset(row.contrast))
        if key in known:
            what = f"it tests what '{known[key]}' tests, so one hypothesis would count twice"
            yield row.id, "role", what, "remove one of the two"
        known.setdefault(key, row.id)
