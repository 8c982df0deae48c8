"""Special cases: programs that ask whether they are given the very input of an example, or look its answer up."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator
from typing import Any

from study_app.domain.syntax import UNREADABLE, parse_expression
from study_app.domain.tasks.checks import Case, Check
from study_app.domain.tasks.hacks.names import Names

_WRAPPERS = frozenset("str repr map tuple list set frozenset sorted hash dumps format encode join strip lower bytes bytearray".split())
"""Functions through which an input stays that input."""
_DIGESTS = frozenset("hash md5 sha1 sha256 sha512 blake2b hexdigest digest crc32 adler32".split())
_COMPARING = frozenset("eq __eq__ __ne__ issubset issuperset zip isclose is_".split())
_LOOKUPS = frozenset(("get", "pop", "setdefault", "__getitem__"))


def distinctive(value: Any) -> bool:
    """Return whether a value says which example it is: programs compare with 0, "" or an empty list for good reasons."""
    if value is None or isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return abs(value) not in (0, 1)
    if isinstance(value, str | bytes):
        return len(value) > 1
    if isinstance(value, tuple):
        return any(distinctive(each) for each in value)
    return False


def canonical(value: Any) -> Any:
    """Return a value in which lists, tuples and sets that hold the same are equal; dictionaries as their items."""
    if isinstance(value, set | frozenset):
        return tuple(sorted((canonical(each) for each in value), key=repr))
    if isinstance(value, list | tuple):
        return tuple(canonical(each) for each in value)
    if isinstance(value, dict):
        return tuple(sorted(((canonical(key), canonical(each)) for key, each in value.items()), key=repr))
    # To a program 1 and 1.0 are equal.
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def example_inputs(examples: Iterable[Check]) -> frozenset[Any]:
    """Return what of the examples' inputs a program may be asking for, in every form that it could have.

    Args:
        examples: the visible checks.
    """
    found: set[Any] = set()
    for check in examples:
        if isinstance(check.case, Case):
            for case in (check.case, *check.case.beside):
                given = [*case.args, *case.kwargs.values()]
                for value in [*given, given, *(given[:end] for end in range(2, len(given)))]:
                    found.update(_forms(value))
    return frozenset(value for value in found if distinctive(value))


def _forms(value: Any) -> Iterator[Any]:
    yield canonical(value)
    if isinstance(value, list | tuple | set | dict):
        yield canonical(sorted(value, key=repr))
        yield from (canonical(each) for each in value)
        yield from (repr(value), repr(list(value)), repr(tuple(value)))
        if isinstance(value, list | tuple):
            # As `first, *rest = input` leaves it.
            yield canonical(value[1:])
        if all(isinstance(each, int) and 0 <= each < 256 for each in value):
            yield bytes(value)
        parts = [str(each) for each in value]
        yield from (separator.join(parts) for separator in (",", ", ", " ", "", "-", "|", "\n") if len(parts) > 1)
    else:
        yield repr(value)
    try:
        yield from (json.dumps(value), json.dumps(value, separators=(",", ":")))
    except (TypeError, ValueError):
        return


class SpecialCases(ast.NodeVisitor):
    """Finds where a program asks for an example's input.

    Args:
        names: of the program.
        inputs: as `example_inputs` gives them.
        answers: stated results of examples, as `canonical` gives them.
    """

    def __init__(self, names: Names, inputs: frozenset[Any], answers: frozenset[Any]) -> None:
        self.names, self.inputs, self.answers = names, inputs, answers
        self.lines: list[tuple[int, int]] = []
        self._given: list[set[str]] = []

    # -- what is the input ---------------------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Look at a function: its parameters are input, and what is made of them."""
        self._given.append(_parameters(node.args))
        self._spread(node)
        self._returned_by_name(node)
        self.generic_visit(node)
        self._given.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815  (ast's own name)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Look at a lambda as at a function."""
        self._given.append(_parameters(node.args))
        self._spread(node)
        if self._states(node.body):
            self._found(node.body)
        self.generic_visit(node)
        self._given.pop()

    def _spread(self, function: ast.AST) -> None:
        """Note the names that hold the input, or a part of it, in a function."""
        # Twice, for `walk` goes level by level: a name may be made of one that is met only afterwards.
        for _ in range(2):
            for node in ast.walk(function):
                if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    self._take(targets, node.value)
                elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
                    self._take_each(node.target, node.iter)

    def _take(self, targets: Iterable[ast.expr], value: ast.expr) -> None:
        if not self._is_input(value):
            return
        for target in targets:
            parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
            names = [part.value if isinstance(part, ast.Starred) else part for part in parts]
            self._given[-1] |= {name.id for name in names if isinstance(name, ast.Name)}

    def _take_each(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.args:
            if value.func.id == "enumerate" and isinstance(target, ast.Tuple) and len(target.elts) == 2:
                self._take([target.elts[1]], value.args[0])
                return
            if value.func.id in ("sorted", "list", "tuple", "set", "reversed"):
                value = value.args[0]
            else:
                return
        self._take([target], value)

    def _is_input(self, node: ast.expr) -> bool:
        """Return whether an expression is the input, a part of it, or the same in another form."""
        match node:
            case ast.Name(id=name):
                return any(name in given for given in self._given)
            case ast.Subscript(value=inner) | ast.Starred(value=inner) | ast.Await(value=inner):
                return self._is_input(inner)
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                return bool(parts) and all(self._is_input(each) for each in parts)
            case ast.JoinedStr(values=parts):
                return any(isinstance(each, ast.FormattedValue) and self._is_input(each.value) for each in parts)
            case ast.GeneratorExp(generators=found) | ast.ListComp(generators=found):
                return self._is_input(found[0].iter)
            case ast.Call(func=called, args=given):
                if _last(called) not in _WRAPPERS | _DIGESTS:
                    return False
                owners = [called.value] if isinstance(called, ast.Attribute) else []
                return any(self._is_input(each) for each in [*given, *owners])
        return False

    # -- where it is asked for -----------------------------------------------------------------------------------------

    def visit_Compare(self, node: ast.Compare) -> None:
        """Look at `input == literal`, `input in (literal, ...)` and `digest(input) == literal`."""
        sides = [node.left, *node.comparators]
        for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
            if isinstance(operator, ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
                if any(self._meets(*pair) for pair in ((left, right), (right, left))):
                    self._found(node)
            elif isinstance(operator, ast.In | ast.NotIn):
                contained = self._is_input(right) and any(map(self._matches, self.names.values(left)))
                if contained or (self._is_input(left) and (self._among(right) or self._has_keys(right))):
                    self._found(node)
        self.generic_visit(node)

    def _meets(self, given: ast.expr, wanted: ast.expr) -> bool:
        if not self._is_input(given):
            return False
        values = self.names.values(wanted)
        return any(self._matches(value) for value in values) or (bool(values) and self._digested(given))

    def _digested(self, node: ast.expr) -> bool:
        return any(isinstance(each, ast.Call) and _last(each.func) in _DIGESTS for each in ast.walk(node))

    def _among(self, container: ast.expr) -> bool:
        values = self.names.values(container)
        if isinstance(container, ast.List | ast.Tuple | ast.Set):
            values += [[value] for each in container.elts for value in self.names.values(each)]
        inside = [each for value in values if isinstance(value, list | tuple | set | dict) for each in value]
        return any(self._matches(each) for each in inside)

    def _matches(self, value: Any) -> bool:
        try:
            return distinctive(canonical(value)) and canonical(value) in self.inputs
        except TypeError:
            return False

    def visit_Match(self, node: ast.Match) -> None:
        """Look at `match input: case literal`."""
        if self._is_input(node.subject):
            for case in node.cases:
                try:
                    wanted = parse_expression(ast.unparse(case.pattern))
                except UNREADABLE:
                    continue
                alternatives = [each.left for each in ast.walk(wanted) if isinstance(each, ast.BinOp)]
                if any(self._matches(value) for each in [wanted, *alternatives] for value in self.names.values(each)):
                    self._found(case.pattern)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """Look at `ANSWERS[input]`."""
        if self._is_input(node.slice) and self._has_keys(node.value):
            self._found(node)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Look at `ANSWERS.get(input)`."""
        called = node.func
        lookup = isinstance(called, ast.Attribute) and called.attr in _LOOKUPS and node.args
        if self._compares(node):
            self._found(node)
        if lookup and self._is_input(node.args[0]) and self._has_keys(called.value):  # type: ignore[attr-defined]
            self._found(node)
        self.generic_visit(node)

    def _compares(self, node: ast.Call) -> bool:
        """Return whether a call sets the input against an example's: `operator.eq`, `__eq__`, `issubset`, `zip`."""
        if _last(node.func) not in _COMPARING:
            return False
        sides = [*node.args, *([node.func.value] if isinstance(node.func, ast.Attribute) else [])]
        return any(map(self._is_input, sides)) and any(
            self._matches(value) for side in sides for value in self.names.values(side)
        )

    def _has_keys(self, table: ast.expr) -> bool:
        """Return whether a dictionary has an example's input among its keys."""
        expressions = self.names.constants.get(table.id, []) if isinstance(table, ast.Name) else [table]
        keys = [key for each in expressions if isinstance(each, ast.Dict) for key in each.keys if key is not None]
        values = [value for key in keys for value in self.names.values(key)]
        # A table of words by number, as for one to ten, is none of examples.
        return any(self._matches(value) for value in values if len(values) == 1 or not isinstance(value, int))

    def _returned_by_name(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Look at the stated result of an example that gets the name of what the function returns."""
        parts = list(ast.walk(function))
        returned = {
            each.value.id for each in parts if isinstance(each, ast.Return) and isinstance(each.value, ast.Name)
        }
        for node in parts:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if returned & {each.id for each in targets if isinstance(each, ast.Name)} and self._states(node.value):
                    self._found(node)

    def _states(self, value: ast.expr) -> bool:
        """Return whether an expression is an example's stated result as it stands."""
        found = [each for each in self.names.values(value) if isinstance(each, list | tuple | set | dict)]
        return any(canonical(each) in self.answers for each in found)

    def visit_Return(self, node: ast.Return) -> None:
        """Look at the stated result of an example that is returned as it stands."""
        if node.value is not None and not isinstance(node.value, ast.Name):
            if self._states(node.value):
                self._found(node)
        self.generic_visit(node)

    def _found(self, node: ast.AST) -> None:
        first = int(getattr(node, "lineno", 0))
        self.lines.append((first, int(getattr(node, "end_lineno", None) or first)))


def stated_answers(examples: Iterable[Check]) -> frozenset[Any]:
    """Return the results that examples state, where a program has no reason to hold them."""
    found: set[Any] = set()
    for check in examples:
        if isinstance(check.case, Case) and (stated := check.stated(check.case)) is not None:
            try:
                found.add(canonical(stated.value))
            except TypeError:
                continue
    return frozenset(value for value in found if distinctive(value))


def _parameters(given: ast.arguments) -> set[str]:
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return {each.arg for each in every if each is not None}


def _last(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
