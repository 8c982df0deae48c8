"""Opens `rules.toml`, the offline coder's word classes and ordered rules."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from importlib import resources


@dataclass(frozen=True)
class CodingRule:
    """One readable rule."""

    id: str
    label: str
    """A label of the code book; empty for a rule that only stops others."""
    why: str
    pattern: re.Pattern[str]
    yields_to: tuple[str, ...] = ()
    """Rules that, having fired in the sentence, keep this one from firing."""
    expressions: tuple[str, ...] = ()
    """What the pattern is made of; one that is found is enough."""

    def without(self, expressions: Collection[str]) -> CodingRule:
        """Return the rule with some of its expressions left out; with none left it never fires."""
        kept = tuple(each for each in self.expressions if each not in expressions)
        return replace(self, pattern=re.compile("|".join(kept) or r"(?!)"), expressions=kept)


def _expand(expression: str, words: Mapping[str, str]) -> str:
    """Put the word classes in place of their names; a class may use classes that stand before it."""
    return re.sub(r"<(\w+)>", lambda name: words[name.group(1)], expression)


def _open() -> tuple[str, tuple[CodingRule, ...]]:
    content = tomllib.loads(resources.files(__package__).joinpath("rules.toml").read_text(encoding="utf-8"))
    words: dict[str, str] = {}
    for name, expression in content["words"].items():
        words[name] = _expand(expression, words)
    rules = []
    for entry in content["rules"]:
        parts = tuple(_expand(expression, words) for expression in entry["patterns"])
        yields = tuple(entry.get("yields_to", ()))
        rules.append(CodingRule(entry["id"], entry["label"], entry["why"], re.compile("|".join(parts)), yields, parts))
    return content["version"], tuple(rules)


VERSION, RULES = _open()
"""Version of the rules, and the rules in order."""
