"""How the plan decides on its primary outcomes, as a registration says it: kind of hypothesis, rows, several tests."""

from __future__ import annotations

from collections.abc import Iterable

from study_app.domain.study.analysis_plan import Analysis, Plan
from study_app.domain.study.study import Study

_HYPOTHESES = {"noninferiority": "non-inferiority", "tost": "equivalence"}


def stated_hypothesis(plan: Plan) -> str:
    """Return superiority, non-inferiority or equivalence; where outcomes differ in it, with the outcomes of each."""
    found: dict[str, list[str]] = {}
    for outcome in plan.primary:
        rows = listed(plan, outcome)
        for kind in dict.fromkeys(_HYPOTHESES.get(row.method, "superiority") for row in rows) or ["superiority"]:
            found.setdefault(kind, []).append(outcome)
    if len(found) < 2:
        return next(iter(found), "superiority")
    return " and ".join(f"{kind} ({', '.join(outcomes)})" for kind, outcomes in found.items())


def stated_statistics(study: Study) -> str:
    """Return the statistical methods of a registration: outcomes, several tests, what decides, covariates."""
    plan = study.analysis
    # By their columns, as the dataset calls them: a registration is held against the data later.
    names = ", ".join(covariate.column for covariate in plan.covariates)
    if study.factors:
        return _of_factors(study, names)
    if study.allocation.method == "sequence":
        names = ""  # People are compared with themselves.
    return f"{_outcomes(plan)}; {_multiplicity(plan)}. {_rows(study)} Covariates: {names or 'none'}." + (
        _OF_REGIMES if study.second_decision else ""
    )


_OF_REGIMES = (
    " Secondary: the regimes that the two decisions embed, compared by inverse probability weights with errors "
    "clustered by person (`embedded_regimes`), and the second treatments among those who did not respond "
    "(`second_treatments`)."
)


def _of_factors(study: Study, covariates: str) -> str:
    plan = study.analysis
    factors = ", ".join(factor.id for factor in study.factors)
    return (
        f"{_outcomes(plan)}. Each is compared by the main effects of {factors} (a level "
        "less the first one, over the other factors' levels with equal weights) and their interactions, one family, "
        f"{_multiplicity(plan)}, unless the plan lists rows in their place. Main effects: "
        f"each factor drawn again while the others are held ({plan.replicates} replicates), where the allocation "
        f"allows it, with the interval that inverts the test, at level {plan.level:g}. Simple effects, and the control "
        f"outside the cells against each level, are secondary. Covariates: {covariates or 'none'}."
    )


def listed(plan: Plan, outcome: str) -> list[Analysis]:
    """Return the primary rows that the plan's author wrote for an outcome; none where the usual one decides."""
    return [row for row in plan.analyses if row.role == "primary" and row.outcome == outcome]


def _outcomes(plan: Plan) -> str:
    """Return the primary outcomes by their columns, as a clause."""
    return f"{'Co-primary outcomes' if len(plan.primary) > 1 else 'Primary outcome'}: {', '.join(plan.primary)}"


def _multiplicity(plan: Plan) -> str:
    """Return how several tests are adjusted for, as a clause."""
    found = plan.multiplicity
    if found.method == "none":
        return "no adjustment for several tests"
    if found.method != "graphical":
        return f"multiplicity by {found.method}"
    passed = "; ".join(_numbers(row) for row in found.transitions)
    return f"multiplicity by graphical, weights {_numbers(found.weights)}, transitions {passed}"


def _rows(study: Study) -> str:
    """Return the row that decides on each outcome, and what it compares, as sentences."""
    plan = study.analysis
    own = {outcome: rows for outcome in plan.primary if (rows := listed(plan, outcome))}
    usual = [outcome for outcome in plan.primary if outcome not in own]
    parts = [
        f"{outcome}: {'; '.join(_row(row, study) for row in rows)}, intervals at level {plan.level:g} unless the "
        "method has another."
        for outcome, rows in own.items()
    ]
    if usual:
        of = f" on {', '.join(usual)}" if own else ""
        drawn = ", whole clusters allocated again" if study.allocation.method == "cluster" else ""
        parts.append(
            f"Decision{of} by the studentised re-randomisation test under the logged scheme ({plan.replicates} "
            f"replicates{drawn}){_against_control(study)}, with the interval that inverts it, at level {plan.level:g}."
        )
    return " ".join(parts)


def _row(row: Analysis, study: Study) -> str:
    compared = f", {row.contrast[0]} against {row.contrast[1]}" if row.contrast else _against_control(study)
    options = ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in row.options.items())
    adjusted = ", adjusted for the covariates" if row.adjusted else ""
    population = f", population {row.population.replace('_', ' ')}" if row.population != "itt" else ""
    return f"decision by `{row.method}`{compared}{f' ({options})' if options else ''}{adjusted}{population}"


def _against_control(study: Study) -> str:
    """Return what is compared where the plan names no pair; nothing where there is one pair only."""
    return f", each other arm against {study.analysis.control or study.control.id}" if len(study.arms) > 2 else ""


def _numbers(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, int | float) else str(value)
