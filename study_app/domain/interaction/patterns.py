"""Interaction patterns by an ordered, versioned rule set: the first rule that holds names the pattern.

The shipped set was fitted to the published group sizes and mean minutes of 25 people, whose own assignments are not
public: it is in-sample, a description, and not validated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.interaction.expressions import Condition
from study_app.domain.interaction.features import PATTERN_FEATURES

NONE = "none"
"""No rule holds."""


@dataclass(frozen=True)
class PatternRule:
    """One line of a rule set."""

    id: str
    pattern: str
    when: Condition
    why: str
    """The rule as a sentence."""


@dataclass(frozen=True)
class RuleSet:
    """Rules in order."""

    version: str
    rules: tuple[PatternRule, ...]

    @property
    def patterns(self) -> tuple[str, ...]:
        """Names in order of their first rule."""
        return tuple(dict.fromkeys(rule.pattern for rule in self.rules))


@dataclass(frozen=True)
class Assignment:
    """One participant's pattern and what it rests on."""

    participant_id: str
    pattern: str
    rule: str
    """Id of the rule that fired; empty for `none`."""
    because: str
    """The features that the rule looked at, with their values."""
    passed_over: tuple[str, ...]
    """Earlier rules that did not hold, each with the features it looked at."""


PUBLISHED = RuleSet(
    "published-1",
    (
        PatternRule(
            "delegation",
            "AI Delegation",
            Condition("generation > 0 and explanation == 0 and debugging == 0"),
            "asked for code and for nothing else about it",
        ),
        PatternRule(
            "iterative",
            "Iterative AI Debugging",
            Condition("generation > 0 and debugging > 0"),
            "asked for code and had the assistant debug",
        ),
        PatternRule(
            "hybrid",
            "Hybrid Code-Explanation",
            Condition("generation_with_explanation > 0"),
            "asked for code and explanation in one query",
        ),
        PatternRule(
            "conceptual",
            "Conceptual Inquiry",
            Condition("generation == 0 and explanation + debugging > 0 and pastes == 0"),
            "asked without asking for code, and pasted none of the assistant's code",
        ),
        PatternRule(
            "comprehension",
            "Generation-Then-Comprehension",
            Condition("generation > 0 and explanation_before_generation == 0 and explanation_after_generation > 0"),
            "asked for code first, for understanding afterwards",
        ),
        PatternRule(
            "progressive",
            "Progressive AI Reliance",
            Condition("generation + explanation + debugging > 0"),
            "asked, and then took the assistant's code",
        ),
    ),
)
"""The six published patterns."""

PUBLISHED_GROUPS = {
    "AI Delegation": (4, 19.5),
    "Progressive AI Reliance": (4, 22.0),
    "Iterative AI Debugging": (4, 31.0),
    "Conceptual Inquiry": (7, 22.0),
    "Hybrid Code-Explanation": (3, 24.0),
    "Generation-Then-Comprehension": (2, 24.0),
}
"""Published pattern -> (people, mean minutes)."""


def rule_set(raw: Mapping[str, Any], file: str) -> RuleSet:
    """Return a rule set from the study file.

    Form (TOML): `[styles] version = "mine-1"`, then in order
    `[[styles.patterns]] pattern = "Reader", when = "explanation > 2 * generation", why = "..."`.

    Raises:
        ProblemsFound: every wrong entry, each with its key.
    """
    problems: list[Problem] = []
    rules: list[PatternRule] = []
    entries = raw.get("patterns") or ()
    if not isinstance(entries, list | tuple):
        remedy = "write one [[styles.patterns]] for each pattern"
        raise ProblemsFound([Problem(file, "styles.patterns", "is not a list", remedy)])
    for index, entry in enumerate(entries):
        found = _rule(entry, f"styles.patterns.{index}", file)
        rules += [found] if isinstance(found, PatternRule) else []
        problems += found if isinstance(found, list) else []
    if not raw.get("version"):
        problems.append(Problem(file, "styles.version", "is missing", 'add one, such as version = "mine-1"'))
    if not raw.get("patterns"):
        problems.append(Problem(file, "styles.patterns", "is empty", "add at least one pattern"))
    if problems:
        raise ProblemsFound(problems)
    return RuleSet(str(raw["version"]), tuple(rules))


def _rule(entry: Any, key: str, file: str) -> PatternRule | list[Problem]:
    if not isinstance(entry, Mapping):
        return [Problem(file, key, "is not a table", "write [[styles.patterns]] with pattern and when")]
    problems = [
        Problem(file, f"{key}.{name}", "is not a key of a pattern", "use id, pattern, when, why")
        for name in entry
        if name not in {"id", "pattern", "when", "why"}
    ]
    for name in ("pattern", "when"):
        if not isinstance(entry.get(name), str) or not entry[name].strip():
            problems.append(Problem(file, f"{key}.{name}", "is missing or not a text", "add it"))
    for name in ("id", "why"):
        if not isinstance(entry.get(name, ""), str):
            problems.append(Problem(file, f"{key}.{name}", "is not a text", "put it into quotation marks"))
    if problems:
        return problems
    try:
        condition = Condition(entry["when"])
    except ValueError as error:
        return [Problem(file, f"{key}.when", str(error), "write it like: generation > 0 and explanation == 0")]
    unknown = [name for name in condition.names if name not in PATTERN_FEATURES]
    if unknown:
        what = f"{', '.join(unknown)}: unknown feature"
        return [Problem(file, f"{key}.when", what, f"use some of {', '.join(PATTERN_FEATURES)}")]
    return PatternRule(entry.get("id", entry["pattern"]), entry["pattern"], condition, entry.get("why", ""))


def rules_of(styles: Mapping[str, Any], file: str = "study file") -> RuleSet:
    """Return the rule set of a study: its own where its `[styles]` brings patterns, else the published one.

    Raises:
        ProblemsFound: see `rule_set`.
    """
    return rule_set(styles, file) if styles else PUBLISHED


def decide(who: str, features: Mapping[str, Any], rules: RuleSet) -> Assignment:
    """Return the pattern of one participant who asked something.

    Args:
        who: participant.
        features: `PATTERN_FEATURES` by name.
        rules: in order; the first that holds decides.
    """
    passed: list[str] = []
    for rule in rules.rules:
        because = rule.when.because(features)
        if rule.when(features):
            return Assignment(who, rule.pattern, rule.id, because, tuple(passed))
        passed.append(f"{rule.id} ({because})")
    return Assignment(who, NONE, "", "no rule holds", tuple(passed))
