"""Every method of the page of methods as a primary row of a small table, and what a report must say of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.estimators.methods import METHODS
from analysis.pipeline.planning.family_check import OF_COLUMNS_ALONE, WITHOUT_P

OUTCOMES: list[dict[str, Any]] = [
    {"id": "score", "kind": "bounded", "unit": "points", "upper": 20},
    {"id": "minutes", "kind": "time", "unit": "min", "event": "done", "cap": 30.0, "censored": "at_cap"},
    {"id": "solved", "kind": "binary"},
    {"id": "liked", "kind": "ordinal"},
    {"id": "errors", "kind": "count", "unit": "errors"},
]


class Said(NamedTuple):
    """What holds of a method's row."""

    outcome: str
    unit: str
    null: str = "a difference of zero"
    """What the verdict rejects."""
    words: tuple[str, str] | None = ("higher", "lower")
    """Where outcomes are larger, and where they are smaller, with the treated; None: no direction is said."""
    adjustable: bool = True
    """Whether the plan's covariates can enter."""
    options: dict[str, Any] = {}  # noqa: RUF012 (never changed)


ONE, EVEN = "a ratio of one", "a chance of one half"
LATER = ("the event comes later", "the event comes sooner")
ROWS: dict[str, Said] = {
    "rerandomization": Said("score", "points"),
    "permutation": Said("score", "points"),
    "lin": Said("score", "points"),
    "ancova": Said("score", "points"),
    "ols": Said("score", "points"),
    "welch_t": Said("score", "points", adjustable=False),
    "student_t": Said("score", "points", adjustable=False),
    "multiple_imputation": Said("score", "points"),
    "inverse_probability": Said("score", "points"),
    "dunnett": Said("score", "points"),
    "tukey_hsd": Said("score", "points", adjustable=False),
    "mann_whitney": Said("score", "probability", EVEN, adjustable=False),
    "brunner_munzel": Said("score", "probability", EVEN, adjustable=False),
    "fractional_logit": Said("score", "log odds", ONE),
    "beta_regression": Said("score", "log odds", ONE),
    "ordinal_logit": Said("liked", "log odds", ONE),
    "newcombe": Said("solved", "proportion", adjustable=False),
    "fisher": Said("solved", "log odds ratio", ONE, adjustable=False),
    "cmh": Said("solved", "odds ratio", ONE, adjustable=False),
    "poisson": Said("errors", "log rate ratio", ONE),
    "negative_binomial": Said("errors", "log rate ratio", ONE),
    "rmst": Said("minutes", "min", adjustable=False),
    "cox": Said("minutes", "log hazard ratio", ONE, words=LATER),
    "logrank": Said("minutes", "", "equality of the arms", None, adjustable=False),
    "stratified_logrank": Said("minutes", "", "equality of the arms", None, adjustable=False),
    "anova": Said("score", "", "equality of the arms", None),
    "welch_anova": Said("score", "", "equality of the arms", None, adjustable=False),
    "kruskal": Said("score", "", "equality of the arms", None, adjustable=False),
    "interaction": Said("score", "points", "the absence of an interaction", None, options={"moderator": "age"}),
    "wald_iv": Said("score", "points", adjustable=False),
    "tsls": Said("score", "points"),
}
"""Method -> what is said of its row; the pipeline gives it the outcome."""
MARGINS = {"tost": {"margin": 1.0}, "noninferiority": {"margin": 1.0, "better": "higher"}}
"""Methods against a margin, whose verdict is about that."""
ELSEWHERE = (
    "bayes_factor kaplan_meier lee_bounds worst_case tipping_point rmst_by_arm pearson spearman "  # no primary row
    "crossover paired_t difference_of_differences factorial factorial_rerandomization embedded_regimes "
    "second_treatments mixed_logit mixed_model cluster_robust"  # need another design than people in arms
).split()
"""Methods that no primary row of this table can have."""


def unlisted() -> set[str]:
    """Methods of the page that stand in none of the lists, and the other way round."""
    return set(METHODS) ^ {*ROWS, *MARGINS, *ELSEWHERE} | (set(WITHOUT_P) | set(OF_COLUMNS_ALONE)) - set(ELSEWHERE)


def table(arms: tuple[str, ...] = ("old", "new"), n: int = 60, effect: float = 0.0) -> pd.DataFrame:
    """People of a trial; with an effect every outcome is larger with the second arm, and times are longer."""
    rng = np.random.default_rng(2)
    arm = np.resize(arms, n)
    gain = effect * (arm == arms[1])
    score = np.clip(rng.normal(9, 3, n) + 3 * gain, 0.5, 19.5).round(3)
    minutes = np.clip(rng.normal(19, 4, n) + 4 * gain, 4, 30).round(2)
    return pd.DataFrame({
        "participant_id": [f"p{index}" for index in range(n)], "arm": arm, "score": score, "minutes": minutes,
        "done": (minutes < 30) * 1, "solved": (rng.random(n) < 0.5 + 0.35 * gain) * 1,
        "liked": np.clip(rng.normal(3 + 1.2 * gain, 1, n).round(), 1, 6).astype(int),
        "errors": rng.negative_binomial(4, 0.5, n) + (5 * gain).astype(int), "age": rng.integers(20, 60, n),
        "stratum": np.where(rng.random(n) < 0.5, "site=a", "site=b"), "received": (arm != arms[0]) * 1,
        "compliant": 1,
    })  # fmt: skip


def plan(*rows: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """The plan of these primary rows."""
    named = [{"role": "primary", **row} for row in rows]
    return {
        "control": "old", "covariates": [{"column": "age"}], "subgroups": [], "replicates": 199, "outcomes": OUTCOMES,
        "primary": list(dict.fromkeys(row["outcome"] for row in rows)), "analyses": named, **keys,
    }  # fmt: skip


def row_of(method: str, **more: Any) -> dict[str, Any]:
    """The plan's row of a method."""
    said = ROWS.get(method)
    population = {"population": "complier"} if method in ("wald_iv", "tsls") else {}
    outcome, options = (said.outcome, said.options) if said else ("score", MARGINS[method])
    return {"outcome": outcome, "method": method, "options": dict(options), **population, **more}
