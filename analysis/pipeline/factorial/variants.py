"""The rows of a study whose arms differ by impossible variants: whether a variant does the same with each treatment.

A study with factors has its interactions already. The plan's text and hash leave these rows out, for they follow from
the study.
"""

from __future__ import annotations

from study_app.domain.errors import Problem
from study_app.domain.study.analysis_plan import Analysis, Plan
from study_app.domain.study.comparing.variant_outcome import PASSES
from study_app.domain.study.plan_sections import BY_RECEIVED
from study_app.domain.study.sections import StudyArm
from study_app.domain.study.study import Study

METHOD = "difference_of_differences"


def of_variants(plan: Plan, study: Study | None) -> tuple[Analysis, ...]:
    """Return arm x variant for each primary outcome and for programs that pass what they can see and no more."""
    if study is None or not study.varied_tasks or study.factors:
        return ()
    known = {outcome.id for outcome in plan.outcomes}
    listed = {row.id for row in plan.analyses}
    rows = [
        Analysis(outcome=name, method=METHOD, role="secondary", label=cells[0], options={"cells": ", ".join(cells)})
        for name in dict.fromkeys([*plan.primary, PASSES])
        if name in known
        for cells in crossed_arms(study)
    ]
    return tuple(row for row in rows if row.id not in listed)


def crossed_arms(study: Study) -> list[tuple[str, str, str, str]]:
    """Return four arms for each variant that two treatments have: the variant and the task, then both of the control.

    A treatment with several arms that meet the same is left out: which of them is the pair cannot be known.
    """
    by = _by_treatment(study)
    own = by.get(study.control.treatment, {})
    found = []
    for treatment, arms in by.items():
        if treatment == study.control.treatment:
            continue
        for met, arm in arms.items():
            if met and () in arms and met in own and () in own:
                found.append((arm, arms[()], own[met], own[()]))
    return found


def _by_treatment(study: Study) -> dict[str | None, dict[tuple[tuple[str, str], ...], str]]:
    """Treatment -> variants met -> the one arm with both."""
    several: dict[tuple[str | None, tuple[tuple[str, str], ...]], list[str]] = {}
    for arm in study.arms:
        several.setdefault((arm.treatment, _met(arm)), []).append(arm.id)
    found: dict[str | None, dict[tuple[tuple[str, str], ...], str]] = {}
    for (treatment, met), arms in several.items():
        if len(arms) == 1:
            found.setdefault(treatment, {})[met] = arms[0]
    return found


def _met(arm: StudyArm) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(arm.variants.items()))


def cell_problems_of(study: Study, file: str) -> list[Problem]:
    """Return what is wrong with the four arms that rows of a plan name."""
    known, found = [arm.id for arm in study.arms], []
    for row in (row for row in study.analysis.analyses if row.method == METHOD):
        key = f"analysis.analyses.{row.id}"
        given = row.options.get("cells", "")
        cells = [name.strip() for name in str(given).split(",")]
        # Another value than a text is refused with the other options.
        if isinstance(given, str) and (len(cells) != 4 or len(set(cells)) < 4 or not set(cells) <= set(known)):
            what, remedy = f"{cells} are not four arms", f"name four of {', '.join(known)}: (a - b) - (c - d)"
            found.append(Problem(file, f"{key}.options.cells", what, remedy))
        if row.contrast:
            what = f"{METHOD} compares four arms, not two"
            found.append(Problem(file, f"{key}.contrast", what, "remove contrast, or use lin"))
        if row.adjusted:
            found.append(Problem(file, f"{key}.adjusted", "the four means take no covariates", "say adjusted = false"))
        if row.population in BY_RECEIVED:
            what = "what was received does not make four arms"
            found.append(Problem(file, f"{key}.population", what, 'use population = "itt" or "per_protocol"'))
    return found
