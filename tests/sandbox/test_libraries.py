"""Any library can be taught: a pack's solution passes, its wrong program fails, and the walls hold as without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from taught_libraries import SOLUTIONS, write_pack

from study_app.content.requirements import Requirements, set_up
from study_app.content.task_packs import load_pack
from study_app.domain.tasks.checks import decode
from study_app.domain.tasks.programs import Program, RunLimits
from study_app.sandbox import packages
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.server import Options
from study_app.services.grading.authoring import check_pack, try_program

HERE = ("numpy", "pandas")
"""Installed beside study-app, so that the default run needs no index."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Options(bubblewrap=False))
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="module")
def own_packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSandbox]:
    """A study's own packages, all libraries of the matrix, installed by `study setup`'s own function."""
    file = tmp_path_factory.mktemp("libraries") / "requirements.txt"
    file.write_text("".join(f"{name}\n" for name in SOLUTIONS), encoding="utf-8")
    required = Requirements(file, file.read_text())
    set_up(required)
    sandbox = LocalSandbox(Options(bubblewrap=False, folders=(str(required.folder),)))
    yield sandbox
    sandbox.close()


def passes_and_fails(sandbox: LocalSandbox, folder: Path) -> None:
    assert check_pack(sandbox, folder, load_pack) == []
    pack = load_pack(folder)
    verdicts = {
        name: [check["passed"] for check in try_program(sandbox, pack, code, seed=1)["checks"]]
        for name, code in {"solution": pack.solution, "wrong": pack.wrong["other"]}.items()
    }
    assert verdicts == {"solution": [True, True], "wrong": [False, False]}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("distribution", HERE)
def test_a_library_beside_study_app_can_be_taught(sandbox, tmp_path, distribution):
    passes_and_fails(sandbox, write_pack(tmp_path, distribution))


@pytest.mark.slow
@pytest.mark.parametrize("distribution", SOLUTIONS)
def test_a_library_that_the_study_brings_can_be_taught(own_packages, tmp_path, distribution):
    passes_and_fails(own_packages, write_pack(tmp_path, distribution))


def run(sandbox: LocalSandbox, code: str, *names: str, **limits: float) -> tuple[str, str | None]:
    result = sandbox.run(Program(code, names, RunLimits(**limits)))  # type: ignore[arg-type]
    return result.stdout.strip(), result.error_type


@pytest.mark.parametrize(
    "attack",
    [
        "open('/proc/self/maps').read()",
        "open('/proc/self/environ').read()",
        "open('/etc/passwd').read()",
        "__import__('os').listdir('/proc')",
        "__import__('os').listdir('/sys/fs/cgroup')",
        "__import__('os').fork()",
        "__import__('socket').create_connection(('127.0.0.1', 1))",
        "open('/dev/shm/planted', 'w')",
        "open(numpy.__file__, 'a')",
    ],
)
def test_a_compiled_library_opens_no_wall(sandbox, attack):
    seen, error = run(sandbox, f"import numpy\n{attack}\nprint('ESCAPED')", "numpy")
    assert "ESCAPED" not in seen
    assert error in ("PermissionError", "FileNotFoundError")


def test_the_memory_limit_is_beyond_what_the_packages_take(sandbox):
    """Importing numpy alone takes more address space than the smallest limit leaves; using more than it is refused."""
    small = "import numpy\nprint(numpy.ones(1_000_000).sum())"
    large = "import numpy\nprint(numpy.ones(20_000_000).sum())"
    assert run(sandbox, small, "numpy", memory_mb=64) == ("1000000.0", None)
    assert run(sandbox, large, "numpy", memory_mb=64)[0] == ""


def test_a_library_that_asks_for_its_version_gets_it_and_strangers_do_not(sandbox):
    code = "import numpy\nfrom importlib.metadata import version\nprint(version('{}') == numpy.__version__)"
    assert run(sandbox, code.format("numpy"), "numpy") == ("True", None)
    assert run(sandbox, code.format("streamlit"), "numpy")[1] == "PackageNotFoundError"


def test_what_a_distribution_brings_is_read_from_its_own_record():
    """Bundled libraries, canonical names and modules whose name is not the distribution's."""
    installed = packages.installation()
    assert any(path.endswith("numpy.libs") for path in installed.readable(["numpy"]))
    assert "PIL" in installed.modules(["matplotlib"]), "pillow, as matplotlib spells it"
    assert {"pydantic-core", "typing-extensions"} <= set(installed.versions(["pydantic"]))
    assert installed.missing(["numpy", "json", "no_such_package"]) == ["no_such_package"]


@pytest.mark.parametrize("kind", ["top_level", "bundled", "dotted"])
def test_files_of_a_made_distribution_are_all_readable(tmp_path, kind):
    files = {
        "top_level": ["_fast.cpython-311-x86_64-linux-gnu.so", "Some_Dist.libs/libx.so"],
        "bundled": ["some_dist/__init__.py", "some_dist.libs/libx-0a1b.so.0"],
        "dotted": ["some_dist/__init__.py", "../../bin/tool"],
    }[kind]
    for name in files:
        if not name.startswith(".."):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("")
    info = tmp_path / "Some_Dist-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Some.Dist\nVersion: 1.0\n")
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in [*files, "Some_Dist-1.0.dist-info/METADATA"]))
    installed = packages.installation([str(tmp_path)])
    name = "_fast" if kind == "top_level" else "some_dist"
    assert installed.modules([name]) == [name]
    assert installed.versions([name]) == {"some-dist": "1.0"}
    readable = {Path(path).name for path in installed.readable([name])}
    assert readable == {Path(file).parts[0] for file in files if not file.startswith("..")} | {info.name}


VALUES = {
    "numpy.int64(5)": (5,),
    "numpy.float64(0.5)": (0.5,),
    "numpy.arange(3)": (("array", [0, 1, 2]),),
    "pandas.DataFrame({'a': [1, 2]})": (("DataFrame", {"index": [0, 1], "columns": ["a"], "data": [[1], [2]]}),),
    "pandas.Series([1.5], index=['x'])": (("Series", [1.5], ["x"]),),
    "__import__('datetime').date(2026, 1, 2)": (("date", "datetime.date(2026, 1, 2)"),),
    "b'ab'": (("bytes", "b'ab'"),),
    "type('Sly', (numpy.ndarray,), {})(2)": None,
}


@pytest.mark.parametrize("expression", VALUES)
def test_numbers_and_tables_of_libraries_come_back_as_values(sandbox, expression):
    code = f"import numpy, pandas\n\ndef made():\n    return {expression}\n"
    asked = {"function": "made", "args": [], "nonce": "n"}
    seen = sandbox.run(Program(code, ("numpy", "pandas"), call=asked)).observation["reported"]["value"]
    wanted = VALUES[expression]
    assert decode(seen) == wanted[0] if wanted else "$other" in seen


def test_try_never_calls_a_reference_that_crashed_a_pass(sandbox, tmp_path):
    """A reference that raises agrees with every program that fails alike."""
    folder = write_pack(tmp_path, "numpy")
    (folder / "solution.py").write_text("def answer(n):\n    raise ValueError(n)\n")
    pack = load_pack(folder)
    report = try_program(sandbox, pack, pack.solution, seed=1)
    assert [check["passed"] for check in report["checks"]] == [False, False]
    assert all("reference solution raises ValueError" in check["message"] for check in report["checks"])


def test_a_check_names_an_exception_of_the_reference(sandbox, tmp_path):
    folder = write_pack(tmp_path, "numpy")
    (folder / "solution.py").write_text("def answer(n):\n    raise ValueError(n)\n")
    found = [str(each) for each in check_pack(sandbox, folder, load_pack)]
    assert sum("raises ValueError" in each for each in found) == len(load_pack(folder).checks)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("crash", ["ModuleNotFoundError", "ImportError", "SystemError"])
def test_nothing_is_graded_by_a_reference_whose_library_does_not_work(sandbox, tmp_path, crash):
    from study_app.domain.errors import SandboxUnavailable
    from study_app.services.grading.grading import grade

    folder = write_pack(tmp_path, "numpy")
    (folder / "solution.py").write_text(f"def answer(n):\n    raise {crash}('no')\n")
    pack = load_pack(folder)
    with pytest.raises(SandboxUnavailable, match=f"reference solution.*{crash}"):
        grade(sandbox, pack, pack.solution, run_seed=1)
