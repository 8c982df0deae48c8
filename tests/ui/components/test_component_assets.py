"""The built page components are what their source says, small, self-contained and found by an installed package."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import study_app
from study_app.ui.components import ASSET_DIR

ROOT = Path(__file__).parents[3]
FRONTEND = ROOT / "study_app/ui/components/frontend"
SOURCES = sorted((FRONTEND / "src").glob("*.ts"))
TABLES = ("workspace", "form", "page")
"""Of the catalogue: what the page components are given."""
CATALOGUE = tomllib.loads((ROOT / "study_app/texts/en.toml").read_text("utf-8"))
TEXTS = {key for table in TABLES for key in CATALOGUE.get(table, {})}
NODE = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed; the built assets are committed")


@NODE
def test_a_rebuild_gives_the_committed_bytes(tmp_path):
    subprocess.run(["sh", str(ROOT / "scripts/build_assets.sh"), str(tmp_path)], check=True, capture_output=True)
    built = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert built == {path.name: path.read_bytes() for path in ASSET_DIR.iterdir()}


def test_the_lock_pins_every_package_and_names_no_host():
    lock = json.loads((FRONTEND / "package-lock.json").read_text("utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages["node_modules/codemirror"]["version"] == "6.0.2"
    assert all(
        re.fullmatch(r"\d+\.\d+\.\d+\S*", entry["version"]) and entry["integrity"] for entry in packages.values()
    )
    assert "resolved" not in json.dumps(lock)
    assert "://" not in json.dumps(lock)


def test_the_workspace_weighs_less_than_250_kilobytes_on_the_wire():
    assert len(gzip.compress((ASSET_DIR / "workspace.js").read_bytes(), 6)) < 250_000


def test_the_built_components_ask_no_other_host_for_anything():
    # A licence names its author's address, and no browser requests it.
    for asset in ASSET_DIR.glob("*.js"):
        hosts = set(re.findall(r"https?://([\w.-]+)", asset.read_text("utf-8")))
        assert hosts <= {"www.w3.org"}, asset.name


def test_every_text_of_the_page_is_in_the_catalogue_and_no_other():
    source = "\n".join(path.read_text("utf-8") for path in SOURCES)
    constants = set(re.findall(r'"([a-z]+(?:_[a-z]+)*)"', source))
    patterns = [re.escape(head) + r"\w+" for head in re.findall(r"`(\w+_)\$\{", source)]
    asked = set(re.findall(r'say\("(\w+)"', source))
    assert asked <= TEXTS
    # What is wrong with an answer is put into words by the server.
    # The server hands some as arguments, such as `skip` to the top of the page, or puts one in the place of another.
    screens = "\n".join(path.read_text("utf-8") for path in (ROOT / "study_app" / "ui" / "screens").glob("*.py"))
    handed = {"skip", *re.findall(r'text\("(?:form|workspace)\.(\w+)"', screens)}
    texts = {key for key in TEXTS if not key.startswith("fault_") and key not in handed}
    unused = {key for key in texts if key not in constants and not any(re.fullmatch(p, key) for p in patterns)}
    assert unused == set()


def test_no_task_shares_the_draft_of_a_message_box():
    kept = re.search(r'MESSAGE = "(.+)"', (FRONTEND / "src/chat.ts").read_text("utf-8"))
    words = re.search(
        r"function isWords.*\s+return /(.+)/\.test\(name\);", (FRONTEND / "src/room.ts").read_text("utf-8")
    )
    assert kept
    assert words
    assert re.search(words[1], kept[1])
    assert not any(re.search(words[1], task) for task in ("message", "chat", "agent", "cannot", "my_chat"))


def test_the_source_holds_no_words_for_participants():
    for path in SOURCES:
        code = re.sub(r"//.*|/\*[\s\S]*?\*/", "", path.read_text("utf-8"))
        # The editor's library asks for its words by these English ones; `say` gives those that participants meet.
        code = re.sub(r"const PHRASES[\s\S]*?};", "", code)
        sentences = re.findall(r'"[A-Z][a-z]+(?: [a-z]+)+[^"]*"', code)
        assert sentences == [], path.name


@pytest.mark.slow
def test_a_wheel_carries_the_components_and_streamlits_options(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, project)
    shutil.copytree(ROOT / ".streamlit", project / ".streamlit", ignore=shutil.ignore_patterns("secrets.toml"))
    shutil.copytree(
        Path(study_app.__file__).parent, project / "study_app", ignore=shutil.ignore_patterns("__pycache__")
    )
    build = "from setuptools.build_meta import build_wheel; build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=project, check=True, capture_output=True)
    site = tmp_path / "site"
    shutil.unpack_archive(next(project.glob("*.whl")), site, "zip")
    assert not list(site.rglob("node_modules"))
    assert (site / "study_app/ui/components/assets/workspace.js").exists()
    assert (site / "study_app/py.typed").exists()
    (options,) = site.glob("*.data/data/share/study-app/.streamlit/config.toml")
    assert options.read_bytes() == (ROOT / ".streamlit/config.toml").read_bytes()


@pytest.mark.usefixtures("main_module")
def test_apptest_mounts_the_workspace_with_its_data():
    from streamlit.testing.v1 import AppTest

    def page() -> None:
        from study_app.ui.components import countdown, workspace

        result = workspace({"stage": "tasks"}, key="room")  # type: ignore[typeddict-item]
        assert result.advance is None
        assert result.leave is None
        countdown({"deadline_ms": None, "now_ms": 0, "texts": {}}, key="time")

    app = AppTest.from_function(page).run(timeout=30)
    assert [error.value for error in app.exception] == []
