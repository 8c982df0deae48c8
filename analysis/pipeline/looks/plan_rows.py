"""Primary rows that planned looks can be applied to: two-sided tests of one contrast, fine enough for each boundary."""

from __future__ import annotations

import math

from scipy import stats

from analysis.design.sequential import SequentialTest, TakenLook
from analysis.pipeline.planning.family_check import tests_of
from analysis.pipeline.planning.plan import schedule
from study_app.domain.errors import Problem
from study_app.domain.study.analysis_plan import MOST_REPLICATES, Analysis, Plan
from study_app.domain.study.study import Study

UNSIGNED = frozenset(
    "tost noninferiority bayes_factor anova welch_anova kruskal logrank stratified_logrank kaplan_meier lee_bounds "
    "worst_case dunnett tukey_hsd cmh tipping_point".split()
)
"""Methods without a two-sided p and an estimate of one contrast, of which a boundary is made."""
LEAST = 2
"""People of an arm without whom there is no variance."""


def look_problems(plan: Plan, arms: int, file: str) -> list[Problem]:
    """Return what keeps the planned looks from being carried out.

    Args:
        plan: of the study.
        arms: their number.
        file: the study file as the user named it.
    """
    if not plan.stopping.interim:
        return []
    primary = [row for row in schedule(plan, arms) if row.role == "primary"]
    found = [
        Problem(file, f"analysis.analyses.{row.id}.method", f"{row.method} has no signed two-sided statistic, which "
                "the boundaries of planned looks need", 'choose another primary method, or kind = "none"')
        for row in primary if row.method in UNSIGNED or row.options.get("alternative", "two-sided") != "two-sided"
    ]  # fmt: skip
    tests = sum(tests_of(row, arms) for row in primary)
    if plan.stopping.binding and tests > 1:
        # The trial ends only where all of them are below: no boundary of one of them may count on that.
        what = f"bounds of {tests} primary comparisons bind no single one"
        found.append(Problem(file, "analysis.stopping.binding", what, "write false"))
    return found or _too_coarse(plan, primary, arms, file)


def early_looks(study: Study, file: str) -> list[Problem]:
    """Return looks at too few people to compare, or at the same ones, and futility bounds beyond the boundaries."""
    rule, target = study.analysis.stopping, study.recruitment.target_n
    if not rule.interim or len(study.arms) < 2:
        return []
    due = [rule.due_at(look, target) for look in range(1, len(rule.looks) + 1)]
    found = []
    if due[0] < LEAST * len(study.arms):
        what = f"the first look is at {due[0]} of {target} people, fewer than {LEAST} in each arm"
        found.append(Problem(file, "analysis.stopping.looks", what, "look later, or raise recruitment.target_n"))
    elif len(set(due)) < len(due):
        listed = ", ".join(map(str, due))
        what = f"of {target} people the looks are at {listed}, so two of them see the same people"
        found.append(Problem(file, "analysis.stopping.looks", what, "put the looks further apart"))
    edges = _planned(study.analysis).critical(1 - study.analysis.level)
    for number, (bound, edge) in enumerate(zip(rule.futility, edges[:-1], strict=False), start=1):
        if bound >= edge:
            what = f"look {number} stops for a difference from |z| = {edge:.2f}, and for futility below {bound:g}"
            found.append(Problem(file, "analysis.stopping.futility", what, f"give a bound below {edge:.2f}"))
    return found


def _planned(plan: Plan) -> SequentialTest:
    looks = (TakenLook(place, round(1e6 * share), share) for place, share in enumerate(plan.stopping.looks, 1))
    return SequentialTest(plan.stopping, tuple(looks))


def _too_coarse(plan: Plan, primary: list[Analysis], arms: int, file: str) -> list[Problem]:
    """Return the first look whose boundary no re-randomisation test can reach with the plan's replicates."""
    for look, enough in enumerate(_needed(plan, primary, arms), start=1):
        if plan.replicates < enough:
            reached = f"the boundary of look {look} (p {1 / (enough + 1):.2g})"
            what = f"{plan.replicates} re-randomisations cannot reach {reached}"
            remedy = f"give at least {enough}, or put that look later" if enough <= MOST_REPLICATES else "put it later"
            return [Problem(file, "analysis.replicates", what, remedy)]
    return []


def replicates_needed(plan: Plan, arms: int) -> int:
    """Return the re-randomisations with which every boundary of the planned looks can be reached; 0 without looks."""
    primary = [row for row in schedule(plan, arms) if row.role == "primary"]
    return max(_needed(plan, primary, arms), default=0) if plan.stopping.interim else 0


def _needed(plan: Plan, primary: list[Analysis], arms: int) -> list[int]:
    """Return the re-randomisations that each look's boundary needs, at the first step of the multiplicity rule."""
    if not any(row.method in ("rerandomization", "permutation") for row in primary):
        return []
    family = sum(tests_of(row, arms) for row in primary)
    alpha = (1 - plan.level) / (1 if plan.multiplicity.method == "none" else family)
    edges = _planned(plan).critical(alpha)
    return [math.ceil(1 / max(2 * float(stats.norm.sf(edge)), 1e-12)) - 1 for edge in edges]
