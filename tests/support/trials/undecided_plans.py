"""Plans whose rows could decide nothing, and answers that a table could not keep apart, each with its key."""

from __future__ import annotations

from support.trials.contradictions import (
    CHOICE,
    NUMBER,
    QUIZ,
    SCALE,
    asked,
    outcome,
    plan,
    row,
    strata,
)
from support.trials.design_studies import HELP, TASKS, THIRD_ARM
from support.trials.quiz_study import ARMS

YES = 'kind = "choice"\noptions = [{ value = 1, label = "a" }, { value = 0, label = "b" }]'
ONE = asked("one", f"{SCALE}\neligible = [3]", kind="eligibility")
ROW = "analysis.analyses.quiz_points"
GRAPH = '[analysis.multiplicity]\nmethod = "graphical"\nweights = {weights}\ntransitions = {transitions}'


def graph(weights: str, transitions: str) -> dict[str, str]:
    return {"arms": ARMS + THIRD_ARM, "plan": plan(GRAPH.format(weights=weights, transitions=transitions))}


def decides(method: str, more: str = "", of: str = QUIZ) -> dict[str, str]:
    return {"plan": plan(outcomes=of + row(method, f'role = "primary"\n{more}'))}


def compared(name: str, kind: str = "continuous", primary: bool = True) -> dict[str, str]:
    if primary:
        return {"plan": plan(outcomes=outcome(name, kind), primary=f'["{name}"]')}
    return {"plan": plan(outcomes=QUIZ + outcome(name, kind))}


def worded(value: str) -> dict[str, str]:
    return {"before": asked("role", CHOICE.replace('"dev"', f'"{value}"'))}


UNDECIDED: dict[str, tuple[dict[str, str], str]] = {
    "bounds that decide": (decides("lee_bounds"), f"{ROW}.lee_bounds.role"),
    "the worst case that decides": (decides("worst_case"), f"{ROW}.worst_case.role"),
    "evidence that decides": (decides("bayes_factor"), f"{ROW}.bayes_factor.role"),
    "a correlation that decides": (
        decides("spearman", 'options = { x = "pretest_points" }'),
        f"{ROW}.spearman.role",
    ),
    "one hypothesis under two labels": (
        decides("lin", of=QUIZ + row("lin", 'role = "primary"\nlabel = "first"')),
        f"{ROW}.lin.role",
    ),
    "one contrast in both directions": (
        decides(
            "lin",
            'contrast = ["plain", "other"]',
            of=QUIZ + row("lin", 'role = "primary"\ncontrast = ["other", "plain"]'),
        ),
        f"{ROW}.lin.plain_vs_other.role",
    ),
    "a graph in which no row has a share": (
        graph("[0.0, 0.0]", "[[0, 1], [1, 0]]"),
        "analysis.multiplicity.weights",
    ),
    "a graph in which a row passes on to itself": (
        graph("[0.5, 0.5]", "[[1, 0], [0, 1]]"),
        "analysis.multiplicity.transitions",
    ),
    "attention where no quiz checks it": (compared("attention_passed"), "analysis.outcomes.attention_passed.column"),
    "other AI that no question asks for": (compared("used_other_ai"), "analysis.outcomes.used_other_ai.column"),
    "what was received without tasks": (compared("received", "binary"), "analysis.outcomes.received.column"),
    "time away without tasks": (
        compared("away_minutes", primary=False),
        "analysis.outcomes.away_minutes.column",
    ),
    "questions to an assistant that no arm has": (
        compared("queries", "count", primary=False),
        "analysis.outcomes.queries.column",
    ),
    "what says how a row came about": (compared("is_simulated", "binary"), "analysis.outcomes.is_simulated.column"),
    "a covariate that is the most there can be": (
        {"plan": plan(covariates='[{ column = "pretest_max" }]')},
        "analysis.covariates.pretest_max",
    ),
    "groups by the most there can be": (
        {"plan": plan(outcomes=QUIZ + row("interaction", 'options = { moderator = "pretest_max" }'))},
        f"{ROW}.interaction.options.moderator",
    ),
    "a correlation with the most there can be": (
        {"plan": plan(outcomes=QUIZ + row("pearson", 'options = { x = "pretest_max" }'))},
        f"{ROW}.pearson.options.x",
    ),
    "a covariate on a scale that lets in one value": (
        {"before": ONE, "plan": plan(covariates='[{ column = "one" }]')},
        "analysis.covariates.one",
    ),
    "strata by a scale that lets in one value": ({"before": ONE} | strata("one"), "allocation.strata.one"),
    "an end of a time that is known before it begins": (
        {
            "before": asked("known", YES),
            "post": asked("spent", NUMBER, number="later_on"),
            "plan": plan(outcomes=QUIZ + outcome("spent", "time", 'cap = 240\nevent = "known"')),
        },
        "analysis.outcomes.spent.event",
    ),
    "a time below zero": (
        {
            "post": asked("spent", NUMBER.replace("low = 0", "low = -5")),
            "plan": plan(outcomes=QUIZ + outcome("spent", "time", "cap = 240")),
        },
        "analysis.outcomes.spent.kind",
    ),
    "a count of fractions": (
        {
            "post": asked("bugs", 'kind = "number"\nlow = 0\nhigh = 9'),
            "plan": plan(outcomes=QUIZ + outcome("bugs", "count")),
        },
        "analysis.outcomes.bugs.kind",
    ),
    "shares of what can be negative": (
        {
            "post": asked("felt", 'kind = "slider"\nlow = -50\nhigh = 50'),
            "plan": plan(
                outcomes=QUIZ + outcome("felt", "continuous", "upper = 50") + row("fractional_logit", of="felt")
            ),
        },
        "analysis.analyses.felt.fractional_logit.method",
    ),
    "a margin as wide as a yes or no": (
        {
            "post": asked("gaveup", YES),
            "plan": plan(
                outcomes=QUIZ + outcome("gaveup", "binary") + row("tost", "options = { margin = 1.0 }", of="gaveup")
            ),
        },
        "analysis.analyses.gaveup.tost.options.margin",
    ),
    "pairs by what they answered later": (
        {
            "post": asked("felt", SCALE),
            "plan": plan(outcomes=QUIZ + row("paired_t", 'options = { pair_id = "felt" }')),
        },
        f"{ROW}.paired_t.options.pair_id",
    ),
    "a number in quotes": (worded("01"), "stages.more.questions.role.options"),
    "an answer that reads as infinite": (worded("inf"), "stages.more.questions.role.options"),
    "an answer called missing": (worded("missing"), "stages.more.questions.role.options"),
    "an answer that divides the name of a stratum": (worded("a; b=c") | strata("role"), "allocation.strata.role"),
    "what was received where tasks have no assistant": (
        {
            "arms": ARMS + HELP,
            "after": TASKS,
            "plan": plan(outcomes=QUIZ + row("welch_t", 'population = "as_treated"')),
        },
        f"{ROW}.welch_t.as_treated.population",
    ),
}
UNDECIDED_IN_EACH_RUN = (
    "bounds that decide",
    "one contrast in both directions",
    "a graph in which a row passes on to itself",
    "attention where no quiz checks it",
    "a covariate that is the most there can be",
    "an end of a time that is known before it begins",
    "a count of fractions",
    "a number in quotes",
    "an answer that divides the name of a stratum",
)
"""One of each rule; the others are slow tests."""
