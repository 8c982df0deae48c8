import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from structure import statements  # noqa: E402

NUMERICS = "numpy pandas scipy threadpoolctl statsmodels pingouin linearmodels krippendorff sklearn"
FACADES = "agreement effects monitoring multiplicity power psychometrics"
ALLOWED = {
    "study_app.domain": "pydantic pydantic_core",
    "study_app.texts": "",
    "study_app.dataset": "study_app study_app.domain pandas pydantic cryptography pyarrow openpyxl pyreadstat",
    "study_app.rerandomisation": "study_app.domain numpy",
    "study_app.ports": "study_app.domain study_app.dataset",
    "study_app.private_files": "",
    "study_app.page_assets": "",
    "study_app.clock": "study_app.ports",
    "study_app.mailing": "study_app.domain",
    "study_app.notifications": "study_app.domain study_app.mailing study_app.services",
    "study_app.prolific": "study_app.domain study_app.ports httpx2",
    "study_app.settings": "study_app.domain",
    "study_app.content": "study_app.domain study_app.ports study_app.private_files pydantic pydantic_core segno",
    "study_app.secrets": "study_app.domain study_app.ports argon2 cryptography httpx2 jwt streamlit",
    "study_app.dask_cluster": "study_app.domain distributed",
    "study_app.sandbox": "study_app.dask_cluster study_app.domain study_app.ports distributed packaging pydantic",
    "study_app.assistant": "study_app.domain study_app.ports anthropic bm25s httpx2 pydantic",
    "study_app.storage": "study_app.domain study_app.dataset study_app.ports study_app.private_files "
    "alembic pydantic sqlalchemy sqlmodel",
    "study_app.services": "study_app study_app.domain study_app.dataset study_app.rerandomisation study_app.ports",
    "study_app.bootstrap": "study_app.assistant study_app.clock study_app.content study_app.domain "
    "study_app.notifications study_app.ports "
    "study_app.private_files study_app.prolific study_app.sandbox study_app.secrets study_app.services "
    "study_app.settings study_app.storage",
    "study_app.claude_codes": "study_app.domain study_app.services analysis.interaction",
    "study_app.simulation": "study_app.assistant study_app.bootstrap study_app.clock study_app.dataset "
    "study_app.domain study_app.ports study_app.services study_app.settings playwright",
    "study_app.rehearsal": "study_app study_app.bootstrap study_app.dataset study_app.domain study_app.rerandomisation "
    "study_app.services study_app.settings study_app.simulation analysis.data analysis.pipeline distributed numpy "
    "pandas threadpoolctl",
    "study_app.ui": "study_app.bootstrap study_app.content study_app.dataset study_app.domain study_app.page_assets "
    "study_app.rerandomisation study_app.secrets study_app.services streamlit markdown_it",
    "study_app.web": "study_app study_app.bootstrap study_app.claude_codes study_app.content study_app.dataset "
    "study_app.domain study_app.page_assets study_app.private_files study_app.secrets study_app.services "
    "study_app.settings anyio brotli google pydantic pydantic_core starlette streamlit uvicorn",
    "analysis": " ".join(["analysis.estimators", *(f"analysis.{name}" for name in FACADES.split())]),
    "analysis.data": f"study_app.domain study_app.dataset {NUMERICS}",
    "analysis.plotting": "matplotlib",
    "analysis.estimators": f"study_app.domain study_app.rerandomisation pydantic matplotlib {NUMERICS}",
    "analysis.measurement": f"study_app.domain analysis.estimators {NUMERICS}",
    "analysis.interaction": f"study_app.domain analysis.data anthropic {NUMERICS}",
    "analysis.themes": "study_app.domain study_app.dataset analysis.agreement analysis.data analysis.estimators "
    f"analysis.interaction analysis.multiplicity {NUMERICS}",
    "analysis.design": f"study_app.domain study_app.rerandomisation analysis.estimators distributed joblib {NUMERICS}",
    "analysis.pipeline": "study_app study_app.dask_cluster study_app.domain study_app.dataset "
    "study_app.rerandomisation analysis.data analysis.design analysis.estimators analysis.interaction "
    f"analysis.measurement analysis.themes joblib pydantic {NUMERICS}",
    "analysis.published_study": "study_app.domain study_app.dataset analysis.estimators analysis.interaction pydantic "
    f"{NUMERICS}",
    "analysis.report": "study_app.domain analysis.data analysis.design analysis.estimators analysis.interaction "
    f"analysis.measurement analysis.pipeline analysis.plotting docx fpdf jinja2 markupsafe matplotlib {NUMERICS} "
    + " ".join(f"analysis.{name}" for name in FACADES.split()),
    "analysis.cli": "study_app.domain analysis.data analysis.estimators analysis.pipeline analysis.plotting "
    "analysis.report threadpoolctl",
    "analysis.scripts": "study_app.domain analysis.cli analysis.data analysis.design analysis.estimators "
    "analysis.pipeline analysis.report",
    **{f"analysis.{name}": "analysis.design" for name in ("power", "monitoring", "multiplicity")},
    **{f"analysis.{name}": "analysis.measurement" for name in ("agreement", "psychometrics")},
    "analysis.effects": "analysis.estimators",
}
"""Part -> what it may import beside itself and the standard library. `study_app.cli` may import everything."""
MODULES_IN_A_FOLDER = 14


def test_every_import_respects_the_layers_of_the_design():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_finds_nothing():
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@cache
def imports() -> dict[str, dict[str, str]]:
    """Part -> what it imports outside itself and the standard library -> a file that does."""
    found: dict[str, dict[str, str]] = {}
    for top in ("study_app", "analysis"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            part = top if parts[1] == "__init__" else ".".join(parts[:2])
            used = found.setdefault(part, {})
            for name in imported(path):
                if name.split(".")[0] not in sys.stdlib_module_names and name != part:
                    used.setdefault(name, path.relative_to(ROOT).as_posix())
    return found


def imported(path: Path) -> set[str]:
    """Packages that a file imports: a part of this project, or a distribution."""
    names = set()
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module in ("study_app", "analysis"):
            names |= {f"{node.module}.{alias.name}" if alias.name.islower() else node.module for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    ours = ("study_app", "analysis")
    return {
        ".".join(name.split(".")[:2]).removesuffix(".__version__") if name.split(".")[0] in ours else name.split(".")[0]
        for name in names
    }


def test_every_part_is_listed():
    there = {part for part in imports() if part not in ("study_app", "study_app.cli")}
    assert there == set(ALLOWED)


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_a_part_imports_only_what_it_may(part):
    more = {name: file for name, file in imports()[part].items() if name not in ALLOWED[part].split()}
    assert not more


def test_no_folder_holds_more_modules_than_a_reader_can_survey():
    folders = {path.parent for top in ("study_app", "analysis") for path in (ROOT / top).rglob("*.py")}
    full = {
        folder.relative_to(ROOT).as_posix(): count
        for folder in folders
        # Migrations are a list that only grows.
        if "migrations" not in folder.parts
        and (count := sum(path.name != "__init__.py" for path in folder.glob("*.py"))) > MODULES_IN_A_FOLDER
    }
    assert not full
