"""Whether an assistant that must not give code gives code: a figure for the whole arm, and one for each reply.

Both texts are reduced to tokens in which structure and vocabulary are left: names that a writer may choose become `x`,
numbers `0`, strings `s`; comments, docstrings and layout go. Kept are keywords, built-ins, attributes and the names of
the solution's functions. A reply leaks a function as far as it reproduces the runs of five tokens within the lines of
the function's body (containment of shingles: Broder 1997, https://doi.org/10.1109/SEQUEN.1997.666900), without those
runs that the participant was given in the starter or brief. Signatures are left out: the brief states them.
The whole reply is read, not its fenced blocks alone, for code can be given line by line between sentences.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass

from study_app.domain.syntax import UNREADABLE, parse

RUN = 5
"""Tokens in a run."""
SHORTEST_RUN = 3
"""Of a line that has fewer than five."""
LEAK_THRESHOLD = 0.6
"""Share of a function's runs from which a reply counts as having given that function."""
SMALL_FUNCTION = 8
"""Runs below which a function counts only if it is reproduced whole."""

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)"""
    r"""|(?P<long>[fFrRbBuU]{0,2}(?:\"{3}(?:.|\n)*?\"{3}|'{3}(?:.|\n)*?'{3}))"""
    r"""|(?P<string>(?<!\w)[fFrRbBuU]{0,2}(?:"[^"\n]*"|'[^'\n]*'))"""
    r"""|(?P<number>\d[\d_.]*)|(?P<name>[^\W\d]\w*)|(?P<mark>->|:=|\*\*|//|[-+*/%=<>!]=|[^\s`])"""
)
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Runs = frozenset[tuple[str, ...]]
_KEPT_NAMES = frozenset(keyword.kwlist) | frozenset(dir(builtins))


@dataclass(frozen=True)
class LeakShare:
    """How many of an arm's replies leak solution code."""

    replies: int
    leaked: int

    @property
    def share(self) -> float | None:
        """`leaked / replies`; None where there was no reply."""
        return self.leaked / self.replies if self.replies else None


def leak_score(reply: str, solution: str, *, given: str = "") -> float:
    """Return the largest share, 0 to 1, of any one function of the solution that the reply reproduces.

    Args:
        reply: The assistant's words, Markdown.
        solution: The reference solution, Python.
        given: What the participant had anyway: starter code, brief.
    """
    vocabulary = _vocabulary(solution)
    had, said = _runs(given, vocabulary), _runs(reply, vocabulary)
    return max((_share(own - had, said) for own in _function_runs(solution, vocabulary)), default=0.0)


def leaks_code(reply: str, solution: str, *, given: str = "", threshold: float = LEAK_THRESHOLD) -> bool:
    """Return whether the reply gives at least one function of the solution away."""
    return leak_score(reply, solution, given=given) >= threshold


def leak_share(
    replies: Iterable[str], solution: str, *, given: str = "", threshold: float = LEAK_THRESHOLD
) -> LeakShare:
    """Return the fidelity figure of a no-code arm: how many of its replies leak."""
    verdicts = [leaks_code(reply, solution, given=given, threshold=threshold) for reply in replies]
    return LeakShare(len(verdicts), sum(verdicts))


def _share(own: Runs, said: Runs) -> float:
    """Return the share that was said; of a function too short to tell from talk about one call, all or nothing."""
    share = len(own & said) / len(own) if own else 0.0
    return share if len(own) >= SMALL_FUNCTION or share == 1 else 0.0


def _function_runs(solution: str, vocabulary: frozenset[str]) -> list[Runs]:
    """Return the runs of each top-level function or class, line by line; of the whole where it has none."""
    return [
        frozenset(run for line in text.splitlines() for run in _longest_runs(line, vocabulary))
        for text in _functions(solution) or [solution]
    ]


def _longest_runs(line: str, vocabulary: frozenset[str]) -> Runs:
    """Return the runs of five tokens of one line, or the line itself where it is shorter, but not under three."""
    tokens = _tokens(line, vocabulary)
    return _of_length(tokens, min(RUN, len(tokens))) if len(tokens) >= SHORTEST_RUN else frozenset()


def _runs(text: str, vocabulary: frozenset[str]) -> Runs:
    """Return every run of three to five tokens of a text."""
    tokens = _tokens(text, vocabulary)
    # All lengths, because short lines of the solution are compared by runs shorter than five.
    return frozenset().union(*(_of_length(tokens, length) for length in range(SHORTEST_RUN, RUN + 1)))


def _of_length(tokens: list[str], length: int) -> Runs:
    return frozenset(tuple(tokens[at : at + length]) for at in range(len(tokens) - length + 1))


def _tokens(text: str, vocabulary: frozenset[str]) -> list[str]:
    return [token for match in _TOKEN.finditer(text) if (token := _normal(match, vocabulary))]


def _functions(solution: str) -> list[str]:
    """Return the bodies of the top-level functions and classes, docstrings left out."""
    return [body for node in _definitions(solution) if (body := _body(solution, node))]


def _body(solution: str, node: _Definition) -> str:
    first = 1 if ast.get_docstring(node, clean=False) is not None else 0
    if first == len(node.body):
        return ""
    return "\n".join(solution.splitlines()[node.body[first].lineno - 1 : node.end_lineno])


def _definitions(solution: str) -> list[_Definition]:
    try:
        tree = parse(solution)
    except UNREADABLE:
        return []
    return [node for node in tree.body if isinstance(node, _Definition)]


def _vocabulary(solution: str) -> frozenset[str]:
    """Names that a reply cannot choose freely."""
    nodes = [node for top in _definitions(solution) for node in ast.walk(top)]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return _KEPT_NAMES | attributes | {node.name for node in nodes if isinstance(node, _Definition)}


def _normal(match: re.Match[str], vocabulary: frozenset[str]) -> str:
    if match.lastgroup == "name":
        return match.group() if match.group() in vocabulary else "x"
    return {"comment": "", "long": "", "string": "s", "number": "0"}.get(str(match.lastgroup), match.group())
