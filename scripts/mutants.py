"""Change the code in one place at a time and see whether a test fails: `python scripts/mutants.py [--help]`.

A seeded sample of mutants over the domain, the dataset and the services; each runs against the tests that reach its
line, 60 seconds at most unless `--seconds` says otherwise. A map of reached lines is made once a commit, file by file.
Everything lies in build/mutants and can resume: what was mapped or run before is not repeated. A mutant that no test
kills is alive. Counted apart are those that the time limit ended, which a busy machine may have done, and those that no
mapped test reaches, which are alive, too, once all tests are mapped.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "mutants"
TREE = BUILD / "tree"
MAP = BUILD / "map"
RESULTS = BUILD / "results.json"
MUTATED: tuple[str, ...] = ("study_app/domain", "study_app/dataset", "study_app/services")
TESTS = ("domain", "rerandomisation", "dataset", "content", "secrets", "services", "storage", "simulation")
"""Folders of tests that are mapped: what tests the three packages without a browser."""
SECONDS = 60
MAP_SECONDS = 1800
WARM = ("hypothesis", "numpy", "pydantic", "pytest", "sqlalchemy.dialects.sqlite", "sqlmodel", "starlette.testclient")
"""What nearly every test imports; nothing of the code that is changed."""
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
}  # fmt: skip
"""Operator -> what a mutant has in its place."""


@dataclass(frozen=True)
class Mutant:
    """One change of one expression or statement, by its place in the file."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    kind: str
    was: str
    becomes: str

    @property
    def name(self) -> str:
        """A key that another run gives the same mutant."""
        return f"{self.path}:{self.line}:{self.column} {self.kind}: {self.was} -> {self.becomes}"


def mutants() -> list[Mutant]:
    """Return every mutant of the three packages, in the order of files and places."""
    files = [path for package in MUTATED for path in sorted((TREE / package).rglob("*.py"))]
    return [mutant for path in files for mutant in of_file(path)]


def of_file(path: Path) -> Iterator[Mutant]:
    """Yield the mutants of one file: of what runs, so neither annotations nor docstrings."""
    text = path.read_text(encoding="utf-8")
    lines = text.encode().splitlines(keepends=True)
    for node, kind, becomes in changes(ast.parse(text)):
        place = (node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or 0)
        was = ast.get_source_segment(text, node) or ""
        if len(lines) >= place[2] and was:
            yield Mutant(str(path.relative_to(TREE)), *place, kind, shortened(was), becomes)


def changes(tree: ast.Module) -> Iterator[tuple[ast.expr | ast.stmt, str, str]]:
    """Yield each place that can be changed, the kind of change and the new source."""
    for node in executed(tree):
        match node:
            case ast.Compare(ops=[operator]) if type(operator) in SWAPPED:
                changed: ast.expr = ast.Compare(node.left, [swapped(operator)], node.comparators)  # type: ignore[list-item]
                yield node, "comparison", f"({ast.unparse(changed)})"
            case ast.BoolOp():
                yield node, "and, or", f"({ast.unparse(ast.BoolOp(swapped(node.op), node.values))})"  # type: ignore[arg-type]
            case ast.BinOp() if type(node.op) in SWAPPED and not of_text(node):
                changed = ast.BinOp(node.left, swapped(node.op), node.right)  # type: ignore[arg-type]
                yield node, "arithmetic", f"({ast.unparse(changed)})"
            case ast.UnaryOp(op=ast.Not()):
                yield node, "not", f"({ast.unparse(node.operand)})"
            case ast.Constant(value=bool(value)):
                yield node, "constant", str(not value)
            case ast.Constant(value=int(value)):
                yield node, "constant", str(value + 1)
            case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
                yield node, "return", "return None"
            case ast.Expr(value=ast.Call()) | ast.Raise() | ast.AugAssign() | ast.Continue() | ast.Break():
                yield node, "statement", "pass"


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below one, without annotations, decorators, and what only type checkers read."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_comment"):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        for part in value if isinstance(value, list) else [value]:
            # An f-string has no place that could be cut out on Python 3.11.
            if isinstance(part, ast.AST) and not isinstance(part, ast.JoinedStr):
                yield from executed(part)


def of_text(node: ast.BinOp) -> bool:
    """Return whether a text is on either side, where other operators are errors that anything would find."""
    return any(isinstance(side, ast.JoinedStr) or isinstance(getattr(side, "value", None), str)
               for side in (node.left, node.right))  # fmt: skip


def swapped(operator: ast.AST) -> ast.AST:
    """Return the operator that a mutant has in the place of one."""
    return SWAPPED[type(operator)]()


def shortened(text: str) -> str:
    """Return a piece of source in one line."""
    return " ".join(text.split())[:100]


def written(mutant: Mutant) -> bytes:
    """Return the file with the change; columns count bytes, as the parser's do."""
    lines = (TREE / mutant.path).read_bytes().splitlines(keepends=True)
    before = b"".join(lines[: mutant.line - 1]) + lines[mutant.line - 1][: mutant.column]
    after = lines[mutant.end_line - 1][mutant.end_column :] + b"".join(lines[mutant.end_line :])
    return before + mutant.becomes.encode() + after


def prepare_tree() -> None:
    """Unpack the commit into a folder where files may be changed; another commit's map and results are dropped."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    stamp = BUILD / "commit"
    if stamp.exists() and stamp.read_text() == head:
        return
    shutil.rmtree(BUILD, ignore_errors=True)
    TREE.mkdir(parents=True)
    packed = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(TREE, filter="data")
    stamp.write_text(head)


def pytest(arguments: list[str], seconds: float, **environment: str) -> int | None:
    """Run pytest in the unpacked tree; its status, or None where it ran out of time."""
    # A fork of this process has what nearly every test imports, which is most of the time of one mutant.
    for name in WARM:
        import_module(name)
    process = os.fork()
    if not process:
        run_here(arguments, environment)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    # The group, because an endless loop may run in a child.
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None


def run_here(arguments: list[str], environment: Mapping[str, str]) -> NoReturn:
    """Be a process that runs pytest and ends with its status."""
    status = 1
    try:
        os.setsid()
        os.chdir(TREE)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        # In front of the path, so that it comes before the package that is installed in .venv; for processes, too.
        paths = [str(TREE), str(ROOT / "scripts")]
        sys.path[:] = paths + [path for path in sys.path if path not in ("", str(ROOT), *paths)]
        sys.dont_write_bytecode = True
        os.environ.update(environment, PYTHONPATH=os.pathsep.join(paths), PYTHONDONTWRITEBYTECODE="1")
        status = int(import_module("pytest").main(["-q", "-p", "no:cacheprovider", *arguments]))
    finally:
        os._exit(status)


def files_of(names: list[str]) -> list[Path]:
    """Return the files of tests in folders below tests/, and those that are named themselves, each once."""
    places = [TREE / "tests" / name for name in names]
    found = [file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("test_*.py")))]
    return list(dict.fromkeys(found))


def map_tests(names: list[str]) -> None:
    """Note for each file of tests which lines its tests reach."""
    MAP.mkdir(exist_ok=True)
    for file in files_of(names):
        done = MAP / f"{file.stem}.jsonl"
        if done.exists():
            continue
        partial = done.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        partial.touch()
        named = {"REACHED_ROOT": str(TREE), "REACHED_OUT": str(partial)}
        pytest(["-p", "reached_lines", "-m", "not slow and not browser", str(file)], MAP_SECONDS, **named)
        partial.rename(done)
        sys.stdout.write(f"mapped {file.relative_to(TREE)}\n")
        sys.stdout.flush()


def reaching() -> dict[tuple[str, int], list[tuple[float, str]]]:
    """Line -> the tests that reach it, quickest first."""
    found: dict[tuple[str, int], list[tuple[float, str]]] = {}
    for file in sorted(MAP.glob("*.jsonl")):
        for text in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(text)
            for path, numbers in row["lines"].items():
                for number in numbers:
                    found.setdefault((f"study_app/{path}", number), []).append((row["seconds"], row["test"]))
    return {place: sorted(tests) for place, tests in found.items()}


def outcome(mutant: Mutant, tests: list[str], seconds: float) -> str:
    """What came of a mutant: killed by a test that fails, survived, unreached, or timeout, which may be either."""
    if not tests:
        return "unreached"
    path = TREE / mutant.path
    original = path.read_bytes()
    chosen = BUILD / "chosen"
    chosen.write_text("\n".join(test for test in tests if "\n" not in test), encoding="utf-8")
    try:
        path.write_bytes(written(mutant))
        status = pytest(["-x", f"@{chosen}"], seconds)
    finally:
        path.write_bytes(original)
    return {None: "timeout", 0: "survived"}.get(status, "killed")


def reached_by(mutant: Mutant, reached: dict[tuple[str, int], list[tuple[float, str]]]) -> list[str]:
    """Return the tests that reach any line of a mutant, quickest first, as many as its time allows by their own times.

    What is outside of functions runs when the module is imported, so that every test of the file reaches it.
    """
    path = mutant.path
    lines = range(mutant.line, mutant.end_line + 1)
    if not in_function(path, mutant.line):
        lines = range(1, len((TREE / path).read_bytes().splitlines()) + 1)
    found = {test for line in lines for test in reached.get((path, line), [])}
    chosen, seconds = [], 0.0
    for took, test in sorted(found):
        seconds += took
        if chosen and seconds > SECONDS / 2:
            break
        chosen.append(test)
    return chosen


def in_function(path: str, line: int) -> bool:
    """Return whether a line is in the body of a function."""
    return any(line in body for body in bodies(path))


@cache
def bodies(path: str) -> list[range]:
    """Return the lines of the functions of a file."""
    return [
        range(node.body[0].lineno, (node.end_lineno or node.body[0].lineno) + 1)
        for node in ast.walk(ast.parse((TREE / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def summary(results: dict[str, dict[str, object]]) -> str:
    """Return the mutants that no test killed, and figures by package, for the terminal."""
    lines = [f"{row['outcome']:9} {name}" for name, row in results.items() if row["outcome"] != "killed"]
    for package in MUTATED:
        counts = Counter(row["outcome"] for name, row in results.items() if name.startswith(package))
        decided = counts["killed"] + counts["survived"]
        share = f" ({100 * counts['survived'] / decided:.1f}%)" if decided else ""
        lines.append(
            f"{package}: {counts['survived']} of {decided} alive{share}, {counts['timeout']} ended by the time limit, "
            f"{counts['unreached']} reached by no mapped test"
        )
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Map, run and print."""
    parser = argparse.ArgumentParser(description="Share of seeded mutants that no test kills.")
    parser.add_argument("--count", type=int, default=200, help="Mutants in the sample.")
    parser.add_argument("--seed", type=int, default=1, help="Seed of the sample.")
    parser.add_argument("--below", nargs="*", default=MUTATED, help="Only mutants of these folders and files.")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="Time limit of one mutant; raise it where busy.")
    parser.add_argument("--tests", nargs="*", default=list(TESTS), help="Folders and files of tests to map.")
    parser.add_argument("--reached", action="store_true", help="Sample only mutants that a mapped test reaches.")
    wanted = parser.parse_args(arguments)
    prepare_tree()
    map_tests(wanted.tests)
    reached = reaching()
    every = [mutant for mutant in mutants() if mutant.path.startswith(tuple(wanted.below))]
    if wanted.reached:
        every = [mutant for mutant in every if reached_by(mutant, reached)]
    sample = random.Random(wanted.seed).sample(every, min(wanted.count, len(every)))
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for mutant in sample:
        # Tests that were mapped since may reach what none reached, and the machine may be less busy.
        if results.get(mutant.name, {}).get("outcome", "unreached") in ("unreached", "timeout"):
            tests = reached_by(mutant, reached)
            found = outcome(mutant, tests, wanted.seconds)
            results[mutant.name] = asdict(mutant) | {"tests": len(tests), "outcome": found}
            RESULTS.write_text(json.dumps(results, indent=1))
            sys.stdout.write(f"{results[mutant.name]['outcome']:9} {mutant.name}\n")
            sys.stdout.flush()
    sys.stdout.write(summary({mutant.name: results[mutant.name] for mutant in sample}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
