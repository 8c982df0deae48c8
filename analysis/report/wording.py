"""Numbers and sentences of the report. A sentence about a difference always holds estimate, interval and p together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from analysis.estimators.core.no_effect import CHANCES
from analysis.pipeline.column_words import in_words
from analysis.pipeline.factorial.rows import METHODS_OF_FACTORS
from analysis.report.scales import PERCENT, shown

Row = Mapping[str, Any]
_ADJECTIVES = {"holm": "Holm", "hommel": "Hommel", "bonferroni": "Bonferroni", "graphical": "graphical procedure"}


METHODS = {
    "rerandomization": "Re-randomisation test", "permutation": "Permutation test", "lin": "Lin-adjusted means",
    "crossover": "t test within people", "noninferiority": "Non-inferiority test",
    "ancova": "ANCOVA", "ols": "Least squares", "welch_t": "Unadjusted means (Welch)",
    "student_t": "Unadjusted means (Student)", "mann_whitney": "Chance of a higher value (Mann-Whitney)",
    "brunner_munzel": "Chance of a higher value (Brunner-Munzel)", "fractional_logit": "Fractional logit",
    "beta_regression": "Beta regression", "ordinal_logit": "Proportional odds", "mixed_logit": "Mixed logit",
    "lee_bounds": "Lee bounds", "worst_case": "Worst case", "wald_iv": "Compliers (Wald)",
    "tsls": "Compliers (two-stage)", "rmst": "Restricted means (Greenwood)", "rmst_by_arm": "Restricted mean",
    "logrank": "Log-rank test",
    "stratified_logrank": "Stratified log-rank test", "cox": "Cox model", "kaplan_meier": "Kaplan-Meier at the cap",
    "newcombe": "Risk difference (Newcombe)", "fisher": "Fisher's exact test", "cmh": "Mantel-Haenszel",
    "poisson": "Poisson regression", "negative_binomial": "Negative binomial regression",
    "tost": "Equivalence test", "bayes_factor": "Bayes factor", "mixed_model": "Random-intercept model",
    "cluster_robust": "Cluster-robust means", "interaction": "Interaction", "anova": "Analysis of variance",
    "welch_anova": "Welch's analysis of variance", "kruskal": "Kruskal-Wallis test", "dunnett": "Dunnett's test",
    "tukey_hsd": "Tukey's comparisons", "multiple_imputation": "Multiple imputation",
    "tipping_point": "Tipping point", "inverse_probability": "Weighted for loss",
    "paired_t": "Paired t test", "pearson": "Pearson correlation",
    "factorial": "Factors (means of cells)", "factorial_rerandomization": "Factors (re-randomisation)",
    "spearman": "Spearman correlation", "risk_ratio": "Risk ratio",
}  # fmt: skip
TESTS = {"rerandomization": "re-randomisation", "factorial_rerandomization": "re-randomisation",
         "permutation": "permutation", "noninferiority": "one-sided test", "mann_whitney": "Mann-Whitney test",
         "brunner_munzel": "Brunner-Munzel test", "welch_t": "Welch's t test", "student_t": "Student's t test",
         "newcombe": "score test",
         "tost": "two one-sided tests"}  # fmt: skip
"""What a sentence calls the test where it is another word than the method's."""
MARGINS = ("tost", "noninferiority")
"""Methods that test against a margin instead of zero."""
FALLBACK = "fallback from Lin"
HAZARD = "log hazard ratio"
_POPULATIONS = {
    "itt": "ITT",
    "with_excluded": "ITT with the excluded",
    "per_protocol": "per protocol",
    "as_treated": "as treated",
}


def method_name(method: str, clusters: int | None) -> str:
    """Return what a method is called; with clusters without the error in brackets, for theirs is used in its place."""
    name = METHODS.get(method, method.replace("_", " "))
    return name if clusters is None else name.partition(" (")[0]


def analysis_name(row: Row, labels: Mapping[str, str] | None = None) -> str:
    """Return what a row does; the parts of its id beside the method's stand after it, arms under their labels."""
    first, *rest = str(row["id"]).split(".")[1:] or [str(row["id"])]
    words = ["Lin's fallback" if stepped_down(row) else method_name(first, (row.get("detail") or {}).get("clusters"))]
    words += ["fallback"] if row["method"] in METHODS_OF_FACTORS and step_down(row) else []
    if row["method"] == "lee_bounds":
        # Which of them the cells are made of, the note says: often only the strata.
        rest = ["within cells" if part == "covariates" else part for part in rest]
    named = dict(labels or {})
    if row.get("contrast"):
        named["_vs_".join(row["contrast"])] = " against ".join(named.get(arm, arm) for arm in row["contrast"])
    return ", ".join([*words, *(named.get(part, part.replace("_", " ")) for part in rest if part != row["population"])])


def stepped_down(row: Row) -> bool:
    """Return whether a row of method `lin` stands for the plan's fallback, as its note says."""
    return bool(row["method"] == "lin" and FALLBACK in str(row.get("note", "")))


def step_down(row: Row) -> str:
    """Return what a row's model is after the fallback from the planned one, as its note says; empty without a step."""
    found = re.search(r"fallback from (?:Lin|slopes of each cell) .*?\): (unadjusted|ANCOVA)", str(row.get("note", "")))
    return found.group(1) if found else ""


def population(name: str) -> str:
    """Return the population as a phrase."""
    return _POPULATIONS.get(name, name.replace("_", " ") + "s" * (name == "complier"))


def counts(row: Row) -> str:
    """People analysed, treated before control where the row compares two arms."""
    order = [arm for arm in row["contrast"] or () if arm in row["n"]]
    return " / ".join(str(row["n"][arm]) for arm in [*order, *(arm for arm in row["n"] if arm not in order)])


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with that many decimals and a true minus; an en dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:.{digits}f}"
    return (text[1:] if text.startswith("-") and float(text) == 0 else text).replace("-", "−")


def compact(value: float | None, digits: int = 4) -> str:
    """Return a number in few characters for wide tables."""
    if value is None:
        return "–"
    return f"{value:.{digits}g}".replace("-", "−")


def p_text(value: float | None) -> str:
    """Return the p value with three decimals, or below 0.001."""
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def p_of_row(row: Mapping[str, Any]) -> str:
    """Return the p of a row and, where it differs, the one adjusted for its family, as simultaneous intervals are."""
    single, adjusted = row["p_value"], row["p_adjusted"]
    if adjusted is None or adjusted == single:
        return p_text(single)
    return f"{p_text(single)} (adjusted {p_text(adjusted)})" if single is not None else p_text(adjusted)


def tidy(note: str) -> str:
    """Return a note with its long decimals cut to four significant digits."""
    return re.sub(r"(?<!\d)-?\d+\.\d{5,}(e-?\d+)?", lambda found: compact(float(found.group())), note)


def note(text: str, arms: Mapping[str, str], columns: Mapping[str, str]) -> str:
    """Return a note as readers see it: numbers short, arms and columns under their labels.

    Args:
        text: of a row, a warning or a deviation.
        arms: arm -> label. An arm's id may be a word of the language, so it counts where notes name arms: after `of`,
            `in`, `arm`, between quotes, and before a count.
        columns: column or outcome -> label; only ids with an underscore, which no word has, and what is missing.
    """
    known = {name: label for name, label in columns.items() if "_" in name}
    known |= {f"_x_{name}": label for name, label in columns.items()}
    known |= {
        f"{start}_{name}": label for name, label in columns.items() for start in ("_stratum", "stratum", "_factor")
    }
    known |= {f"_missing_{name}": f"missing {label}" for name, label in columns.items()}
    known |= {f"_last_activity_minutes_{name}": f"{label} at the last activity" for name, label in columns.items()}
    text = _replaced(text, columns, r"(?<=\d left out: )({})(?= missing(?:[,;]|$))")
    text = in_words(_replaced(text, known, r"(?<![\w.])({})(?![\w.]\w|\w)"))
    text = _replaced(text, arms, r"(?:(?<=\bof )|(?<=\bin )|(?<=\barm )|(?<='))({})(?![\w.]\w|\w)")
    text = _replaced(text, arms, r"(?<![\w.'])({})(?=: \d)")
    return tidy(text)


def _replaced(text: str, names: Mapping[str, str], pattern: str) -> str:
    if not names:
        return text
    longest_first = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.sub(pattern.format(longest_first), lambda found: names[found.group(1)], text)


def p_phrase(value: float | None) -> str:
    """`p = 0.012` or `p < 0.001`."""
    return f"p {p_text(value)}" if value is not None and value < 0.001 else f"p = {p_text(value)}"


def tagged(row_id: str, text: str, kind: str = "n") -> Markup:
    """Text that came from a row of results.json, with the row's id."""
    return Markup('<span class="{}" data-result="{}">{}</span>').format(kind, row_id, text)


def difference_sentence(
    row: Row, labels: Mapping[str, str], multiplicity: str, family: int, *, adjusted_for: str = ""
) -> Markup:
    """Difference, interval, p and adjusted p of a primary row; or that it is not estimable, and why.

    Args:
        row: of results.json.
        labels: arm -> what readers see.
        multiplicity: rule of the plan.
        family: rows that it adjusts together.
        adjusted_for: what the row's model is adjusted for.
    """
    if row.get("detail", {}).get("effect") == "interaction" and row["p_value"] is not None:
        return _interaction(row, labels) + _adjusted(row, multiplicity, family) + Markup(").")
    if row["estimate"] is not None and row["p_value"] is None:
        return _untested(row, labels)
    if not row["contrast"] or row["estimate"] is None:
        return _no_difference(row, _adjusted(row, multiplicity, family))
    seen = shown(row)
    sentence = Markup("{}{}{}: {}{} ({}; {} {}").format(
        "Interaction, " if of_interaction(row) else "",
        _compared(row, labels),
        f", adjusted for {adjusted_for}" if adjusted_for else "",
        tagged(row["id"], seen.value),
        f" {seen.unit}".rstrip(),
        _limits(row, seen.interval),
        TESTS.get(str(row["method"]), METHODS.get(str(row["method"]), str(row["method"]))),
        tagged(row["id"], p_phrase(row["p_value"])),
    )
    return sentence + _adjusted(row, multiplicity, family) + Markup(").")


def _compared(row: Row, labels: Mapping[str, str]) -> str:
    """Return "AI minus No AI", or "AI against No AI" where the estimate is a ratio or a chance."""
    seen = shown(row)
    raw = not seen.ratio and seen.unit in (row["unit"], PERCENT) and row["method"] not in CHANCES
    return (" minus " if raw else " against ").join(labels.get(arm, arm) for arm in row["contrast"])


def _untested(row: Row, labels: Mapping[str, str]) -> Markup:
    """Return an estimate without a p, and why it has none."""
    seen = shown(row)
    return Markup("{}: {}{} ({}; no p): {}.").format(
        _compared(row, labels) if row["contrast"] else "Estimate",
        tagged(row["id"], seen.value),
        f" {seen.unit}".rstrip(),
        _limits(row, seen.interval),
        tagged(row["id"], tidy(row["note"]) or "not tested"),
    )


def _adjusted(row: Row, multiplicity: str, family: int) -> Markup:
    """Return the adjusted p and over what it is adjusted; a family of one has nothing to adjust for."""
    if row["p_adjusted"] is None or (family < 2 and multiplicity != "none"):
        return Markup("")
    name = _ADJECTIVES.get(multiplicity, multiplicity)
    # Without a rule of the plan it is a test of several arms that adjusts.
    over = f"{family} primary tests by {name}" if multiplicity != "none" else "its own comparisons"
    return Markup("; adjusted over {}: {}").format(over, tagged(row["id"], p_phrase(row["p_adjusted"])))


def _limits(row: Row, interval: str) -> Markup:
    """Return the interval; where there is none that, and why."""
    if row["ci_low"] is not None or row["ci_high"] is not None:
        return Markup("{}% interval {}").format(
            tagged(row["id"], f"{100 * row['ci_level']:g}", "quiet"), tagged(row["id"], interval)
        )
    parts = str(row["note"]).split("; ")
    said = [part.removeprefix("no interval: ") for part in parts if part.startswith("no interval: ")]
    said += [
        part.removesuffix(", so no limit on that side") for part in parts if part.endswith("no limit on that side")
    ]
    return Markup("no interval: {}").format(tagged(row["id"], said[0])) if said else Markup("no interval")


def _interaction(row: Row, labels: Mapping[str, str]) -> Markup:
    """Return by how much the effect of one factor differs between the levels of another."""
    factors = " and ".join(labels.get(name, str(name).replace("_", " ")) for name in row["detail"]["factors"])
    seen = shown(row)
    return Markup("Interaction of {}: {}{} ({}; {}").format(
        factors,
        tagged(row["id"], seen.value),
        f" {seen.unit}".rstrip(),
        _limits(row, seen.interval),
        tagged(row["id"], p_phrase(row["p_value"])),
    )


def _no_difference(row: Row, adjusted: Markup) -> Markup:
    """Of a test without an estimate its p; else why there is nothing."""
    if row["p_value"] is None:
        return Markup("The difference is {}.").format(tagged(row["id"], tidy(row["note"]) or "not estimable"))
    name = METHODS.get(str(row["method"]), str(row["method"]))
    sentence = Markup("{}: {}{}").format(name, tagged(row["id"], p_phrase(row["p_value"])), adjusted)
    if row["ci_low"] is None and row["ci_high"] is None:
        return sentence + Markup(".")
    # An estimate at the end of its scale, such as the odds ratio of an arm without events, has an interval of one side.
    seen = shown(row)
    return sentence + Markup("; {}: {}.").format(seen.unit, _limits(row, seen.interval))


def of_interaction(row: Row) -> bool:
    """Return whether an estimate is of how much an effect changes, and of no arm's outcomes."""
    return bool(row["method"] == "interaction" or row["detail"].get("effect") == "interaction")
