"""Conditions such as `generation > 0 and debugging == 0`, read without ever running them as Python."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from study_app.domain.syntax import UNREADABLE, parse_expression

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class Condition:
    """A condition over named numbers: comparisons, + - * /, and, or, not, parentheses.

    A feature that is missing (None or NaN) makes every comparison with it false.
    """

    def __init__(self, text: str) -> None:
        """Parse.

        Raises:
            ValueError: the text is not such a condition.
        """
        self.text = text
        try:
            self._tree = parse_expression(text.strip())
        # A text that is nested too deeply exhausts the parser; it is refused like any other that is not a condition.
        except UNREADABLE as error:
            raise ValueError(f"{text!r} is not a condition") from error
        self.names = tuple(sorted({node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)}))
        for node in ast.walk(self._tree):
            _check(node, text)

    def __call__(self, values: Mapping[str, Any]) -> bool:
        """Return whether it holds for these features.

        Raises:
            KeyError: a name that `values` does not have.
        """
        return bool(_evaluated(self._tree, values))

    def because(self, values: Mapping[str, Any]) -> str:
        """Return the features it looked at, as `name = value`, for people."""
        return ", ".join(f"{name} = {_shown(values[name])}" for name in self.names)


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else "missing"


def _check(node: ast.AST, text: str) -> None:
    allowed = (ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.BinOp, ast.Name, ast.Load)
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise ValueError(f"{text!r}: {node.value!r} is not a number")
    elif not isinstance(node, allowed) and type(node) not in _COMPARE and type(node) not in _ARITHMETIC:
        raise ValueError(
            f"{text!r}: {type(node).__name__} is not allowed; use names, numbers, comparisons, and, or, not"
        )


def _evaluated(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            value = values[node.id]
            return float("nan") if value is None else value
        case ast.BoolOp():
            parts = (_evaluated(part, values) for part in node.values)
            return all(parts) if isinstance(node.op, ast.And) else any(parts)
        case ast.UnaryOp():
            inner = _evaluated(node.operand, values)
            return not inner if isinstance(node.op, ast.Not) else -inner
        case ast.BinOp():
            return _arithmetic(node, values)
        case ast.Compare():
            sides = [_evaluated(side, values) for side in (node.left, *node.comparators)]
            return all(
                not math.isnan(left) and not math.isnan(right) and _COMPARE[type(op)](left, right)
                for left, op, right in zip(sides, node.ops, sides[1:], strict=False)
            )
    raise ValueError(f"{type(node).__name__} is not allowed")


def _arithmetic(node: ast.BinOp, values: Mapping[str, Any]) -> float:
    left, right = _evaluated(node.left, values), _evaluated(node.right, values)
    # Like a missing feature: every comparison with NaN is false.
    if isinstance(node.op, ast.Div) and right == 0:
        return float("nan")
    value: float = _ARITHMETIC[type(node.op)](left, right)
    return value
