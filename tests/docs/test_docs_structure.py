"""Pages lie where the index says, links and paths in them exist, and modules that they name exist."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from study_app.domain.study.analysis_plan import Plan

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MODULE = re.compile(r"`((?:study_app|analysis)(?:\.[a-z_0-9]+)+|analysis)`")
CODE = re.compile(r"```.*?```|`[^`]*`|^(?: {4}|>>>|\.\.\.).*?$", re.S | re.M)
# Texts of packs and banks belong to their participants; oracles are other programs' files.
OTHERS = ("tests/oracles/", "study_app/ui/components/assets/")


def tracked(*ends: str) -> list[Path]:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / name for name in names if name.endswith(ends) and not name.startswith(OTHERS)]


def source(module: str) -> Path | None:
    """The file of a module, without importing it."""
    path = ROOT / module.replace(".", "/")
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def test_no_relative_link_of_any_page_is_dead():
    dead = []
    for page in tracked(".md"):
        text = CODE.sub("", page.read_text(encoding="utf-8"))
        for target in re.findall(r"\]\((?![a-z]+:|#)([^)#\s]+)", text):
            if not (page.parent / target).exists():
                dead.append(f"{page.relative_to(ROOT)} -> {target}")
    assert dead == []


def test_every_anchor_of_a_link_is_a_heading_of_its_page():
    dead = []
    for page in tracked(".md"):
        text = CODE.sub("", page.read_text(encoding="utf-8"))
        for target, anchor in re.findall(r"\]\((?![a-z]+:)([^)#\s]*)#([^)\s]+)\)", text):
            found = (page.parent / target) if target else page
            headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.M) if found.is_file() else []
            if anchor not in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}:
                dead.append(f"{page.relative_to(ROOT)} -> {target}#{anchor}")
    assert dead == []


def test_every_page_of_the_docs_that_any_file_names_exists():
    dead = []
    for path in tracked(".py", ".md", ".toml", ".sh", ".j2", ".yml", ".yaml", ".cff"):
        for name in re.findall(r"(?<![\w/.-])docs/[\w/-]+\.\w+", path.read_text(encoding="utf-8")):
            if not (ROOT / name).exists():
                dead.append(f"{path.relative_to(ROOT)} -> {name}")
    assert dead == []


def test_figures_of_one_machine_stand_with_the_benchmarks_only():
    measured = re.compile(r"\bp(?:50|95|99)\b|load average|under a load of|processor s\b")
    pages = [*DOCS.rglob("*.md"), ROOT / "README.md"]
    assert [page.name for page in pages if measured.search(page.read_text(encoding="utf-8"))] == []


def test_the_index_leads_to_every_page():
    named = set(re.findall(r"\]\(([^)#\s]+\.md)", (DOCS / "index.md").read_text(encoding="utf-8")))
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")} - {"index.md"}
    assert pages - named == set()


def test_the_architecture_names_every_part_that_the_layers_name():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = [contract["layers"] for contract in contracts if contract.get("containers") == ["study_app"]]
    parts = {f"study_app.{name}" for name in re.findall(r"\w+", " ".join(layers))}
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    assert parts - {"study_app.analysis"} - set(re.findall(r"`(study_app\.\w+)`", page)) == set()


def test_each_sentence_of_the_methods_section_names_a_module_that_exists():
    section = (DOCS / "architecture.md").read_text(encoding="utf-8").partition("## The methods section")[2]
    rows = re.findall(r"^\| ([A-Z][^|]+\.) \| `([\w.]+)` \|$", section, re.M)
    assert len(rows) == 11
    assert [module for _, module in rows if source(module) is None] == []


def test_every_module_that_a_page_names_exists():
    gone = []
    for page in tracked(".md"):
        for name in MODULE.findall(page.read_text(encoding="utf-8")) if page.name != "CHANGELOG.md" else ():
            # `analysis.level` is also how a key of a study file is written.
            if name.split(".")[:2] in [["analysis", key] for key in Plan.model_fields]:
                continue
            module, _, last = name.rpartition(".")
            inside = source(module)
            named = inside is not None and re.search(rf"\b{last}\b", inside.read_text(encoding="utf-8"))
            if source(name) is None and not named:
                gone.append(f"{page.relative_to(ROOT)} -> {name}")
    assert gone == []


def test_a_term_of_the_glossary_is_explained_once_in_one_sentence():
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^- \*\*([^*]+)\*\*: (.+)$", text, re.M)
    assert len(terms) == text.count("\n- ")
    names = [name for name, _ in terms]
    assert sorted(set(names)) == sorted(names)
    assert [name for name, meaning in terms if not re.fullmatch(r"[^.]+(\.\w+[^.]*)*\.", meaning)] == []
    for section in re.findall(r"^## .+\n\n((?:- .+\n)+)", text, re.M):
        listed = re.findall(r"\*\*([^*]+)\*\*", section)
        assert listed == sorted(listed, key=str.lower)
