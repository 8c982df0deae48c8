"""Options of a plan's rows: which of them the plan may give at all, and whether their values are fit."""

from __future__ import annotations

from analysis.estimators.core.option_domains import DOMAINS, SCALES
from analysis.estimators.methods import METHODS

MADE_HERE = frozenset(
    "data outcome arm control covariates stratum cluster event horizon level seed frequency received scheme arms "
    "replicates person period item factors within nested own_slopes "
    "second responded first_probability second_probability".split()
)
"""Arguments that the pipeline gives to a method, so that no plan may."""
OF_COLUMNS = ("x", "moderator", "pair_id", "exposure", "instruments")
"""Options that name a column of the participants table."""


def value_problem(method: str, option: str, value: object, *, clustered: bool) -> tuple[str, str] | None:
    """Return what is wrong with the value of an option that has the right type, and what to do; None of a fit one.

    Args:
        method: of `METHODS`.
        option: one that it takes.
        value: as the plan says it.
        clustered: whether people were allocated in clusters.
    """
    if clustered and option in METHODS[method].of_people:
        return f"{method} over clusters does not use it", "remove it"
    if option == "prior_scale" and isinstance(value, str):
        return SCALES.problem(value, clustered)
    domain = DOMAINS.get(method, {}).get(option)
    return domain.problem(value, clustered) if domain is not None else None
