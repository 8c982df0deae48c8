"""Print the structure of the code in figures, each beside its aim: `python scripts/structure.py [--json]`."""

from __future__ import annotations

import argparse
import ast
import io
import json
import re
import statistics
import sys
import tokenize
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import grimp
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).parents[1]
PACKAGES = ("study_app", "analysis")
MUTANTS = ROOT / "build" / "mutants" / "results.json"
TABLE = "{:38} {:>8} {:>8}  {:5} {}\n"


@dataclass(frozen=True)
class Figure:
    """One measurement and what it should be."""

    name: str
    value: float
    aim: float
    at_most: bool
    """Whether the aim is the most (else the least) that the value should be."""
    where: str
    """The place that a reader would look at first, or nothing."""

    @property
    def holds(self) -> bool:
        """Whether the aim is reached."""
        return self.value <= self.aim if self.at_most else self.value >= self.aim


def figures() -> list[Figure]:
    """Measure everything."""
    folder, most = files_per_folder().most_common(1)[0]
    upward = sorted(upward_imports(edges()))
    cycles = import_cycles(edges())
    classes = public_classes()
    repeated = sorted(name for name, homes in classes.items() if len(homes) > 1)
    lengths = function_lengths()
    longest = max(lengths, key=lambda place: lengths[place])
    found = [
        Figure("files in a folder, most", most, 14, True, folder),
        Figure("imports that go up", len(upward), 0, True, shortened(upward)),
        Figure("import cycles", len(cycles), 0, True, shortened(["; ".join(cycle) for cycle in cycles])),
        Figure("public class names used twice, %", percent(len(repeated), len(classes)), 1, True, shortened(repeated)),
        Figure("code lines of a function, p95", percentile(lengths.values(), 95), 25, True, ""),
        Figure("code lines of a function, most", lengths[longest], 60, True, longest),
    ]
    parts = [part for package in PACKAGES for part in (package, *parts_of(package))]
    return (
        found
        + survivors()
        + [Figure(f"comment lines of {part}, %", comment_share(part), 3, False, "") for part in parts]
    )


def survivors() -> list[Figure]:
    """Mutants that no test kills, where `make mutants` has run."""
    if not MUTANTS.exists():
        return []
    outcomes = [row["outcome"] for row in json.loads(MUTANTS.read_text(encoding="utf-8")).values()]
    decided = sum(outcome in ("survived", "killed") for outcome in outcomes)
    said = f"of {decided} that tests decided; {len(outcomes) - decided} ended by the time limit or not reached"
    return [Figure("mutants alive, %", percent(outcomes.count("survived"), decided), 8, True, said)]


def parts_of(package: str) -> list[str]:
    """Return the folders of a package that hold code."""
    return sorted(place(path.parent) for path in (ROOT / package).glob("*/__init__.py") if sources(place(path.parent)))


@cache
def sources(package: str) -> dict[Path, str]:
    """Return every Python file of a package, with its text."""
    return {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / package).rglob("*.py"))}


@cache
def trees() -> dict[Path, ast.Module]:
    """Return every Python file of both packages, parsed."""
    return {path: ast.parse(text) for package in PACKAGES for path, text in sources(package).items()}


def files_per_folder() -> Counter[str]:
    """Modules in each folder; `__init__.py` is the folder itself, and migrations are a list that only grows."""
    code = (path for path in trees() if path.name != "__init__.py" and "migrations" not in path.parts)
    return Counter(place(path.parent) for path in code)


@cache
def imports() -> grimp.ImportGraph:
    """Who imports whom, at run time."""
    return grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True)


def upward_imports(found: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Imports against the layers of `[tool.importlinter]`: to a line above, or between parts that a `|` sets apart."""
    found = list(found)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    for contract in settings["contracts"]:
        for container in contract.get("containers", ()) if contract["type"] == "layers" else ():
            lines = contract["layers"]
            row = {name: index for index, line in enumerate(lines) for name in re.findall(r"\w+", line)}
            apart = {name for line in lines if "|" in line for name in re.findall(r"\w+", line)}
            for importer, imported in found:
                low, high = child(importer, container), child(imported, container)
                if low not in row or high not in row or low == high:
                    continue
                if row[low] > row[high] or (row[low] == row[high] and low in apart):
                    yield f"{importer} -> {imported}"


def edges() -> Iterator[tuple[str, str]]:
    """Yield each import as (importer, imported)."""
    graph = imports()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            yield module, imported


def child(module: str, container: str) -> str:
    """Return the part of a container that a module belongs to, or nothing."""
    return module[len(container) + 1 :].split(".")[0] if module.startswith(container + ".") else ""


def import_cycles(found: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Groups of modules that import each other, directly or through others."""
    found = list(found)
    names = sorted({name for edge in found for name in edge})
    row = {name: index for index, name in enumerate(names)}
    cells = ([row[importer] for importer, _ in found], [row[imported] for _, imported in found])
    matrix = coo_matrix(([1] * len(found), cells), shape=(len(names), len(names)))
    _, labels = connected_components(matrix, connection="strong")
    groups: dict[int, list[str]] = defaultdict(list)
    for name, label in zip(names, labels, strict=True):
        groups[label].append(name)
    return [group for group in groups.values() if len(group) > 1]


def public_classes() -> dict[str, list[str]]:
    """Names of classes at the top of a module, without a leading underscore, and the modules that define them."""
    found: dict[str, list[str]] = defaultdict(list)
    for path, tree in trees().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(place(path))
    return found


def function_lengths() -> dict[str, int]:
    """Code lines of each function; migrations, which are lists of columns, are left out."""
    found = {}
    for path, tree in trees().items():
        if "migrations" in path.parts:
            continue
        lines = sources(path.relative_to(ROOT).parts[0])[path].splitlines()
        for node in statements(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found[f"{place(path)}:{node.lineno} {node.name}"] = code_lines(node, lines)
    return found


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every statement of a tree: a tenth of what `ast.walk` goes through, since expressions hold none."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        inside = getattr(tree, part, ())
        for node in inside if isinstance(inside, list) else ():
            yield node
            yield from statements(node)


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> int:
    """Lines from `def` to the end that are neither blank nor docstring."""
    last = node.end_lineno or node.lineno
    documented = ast.get_docstring(node) is not None
    rows = set(range(node.lineno, last + 1))
    if documented:
        rows -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return sum(bool(lines[row - 1].strip()) for row in rows)


def comment_share(package: str) -> float:
    """Lines that hold only a comment, in per cent of the lines that are not blank."""
    counts = [comment_lines(path) for path in sources(package)]
    return percent(sum(comments for comments, _ in counts), max(sum(whole for _, whole in counts), 1))


@cache
def comment_lines(path: Path) -> tuple[int, int]:
    """Lines of a file that hold only a comment, and those that are not blank; a package and its part share it."""
    text = path.read_text(encoding="utf-8")
    if not re.search(r"^\s*#", text, re.MULTILINE):
        return 0, sum(bool(line.strip()) for line in text.splitlines())
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = sum(token.type == tokenize.COMMENT and token.line.lstrip().startswith("#") for token in tokens)
    return comments, sum(bool(line.strip()) for line in text.splitlines())


def shortened(names: list[str], most: int = 8) -> str:
    """Return the first few of a list, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def percent(part: int, whole: int) -> float:
    """Return a share, to one decimal."""
    return round(100 * part / whole, 1)


def percentile(values: Iterable[int], rank: int) -> float:
    """Return the value that `rank` per cent of the values do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[rank - 1]


def place(path: Path) -> str:
    """Return a path as written in the repository."""
    return path.relative_to(ROOT).as_posix()


def main(arguments: list[str]) -> int:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description="The structure of study_app and analysis in figures.")
    parser.add_argument("--json", action="store_true", help="Print JSON instead of a table.")
    wanted = parser.parse_args(arguments)
    found = figures()
    if wanted.json:
        sys.stdout.write(json.dumps([asdict(figure) | {"holds": figure.holds} for figure in found], indent=2) + "\n")
        return 0
    sys.stdout.write(TABLE.format("figure", "value", "aim", "", "where"))
    for figure in found:
        aim = f"{'<=' if figure.at_most else '>='} {figure.aim:g}"
        sys.stdout.write(
            TABLE.format(figure.name, f"{figure.value:g}", aim, "holds" if figure.holds else "open", figure.where)
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
