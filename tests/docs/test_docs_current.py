"""The documentation says what the code does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from support.warm_processes import run_study

from study_app.cli import app

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import generate_docs  # noqa: E402

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", sorted(generate_docs.PAGES))
def test_generated_pages_are_current(name):
    assert (generate_docs.DOCS / name).read_text() == generate_docs.PAGES[name](), "run python scripts/generate_docs.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_command_that_a_page_shows_exists_with_its_options(page):
    verbs = typer.main.get_command(app).commands
    for line in _shown_commands(page.read_text()):
        verb = line.split()[1]
        if verb.startswith(("-", "VERB", "<")):
            continue
        assert verb in verbs, f"{page.name}: study {verb} does not exist"
        found = verbs[verb]
        for word in line.split()[2:]:
            found = getattr(found, "commands", {}).get(word, found)
        offered = {"--help"} | {name for option in found.params for name in option.opts + option.secondary_opts}
        for option in re.findall(r"(?<=\s)(--[a-z][a-z0-9-]*)", line):
            assert option in offered, f"{page.name}: study {verb} has no {option}"


def _shown_commands(text: str) -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.S | re.M)
    fenced = "\n".join(block for language, block in blocks if language in ("", "sh", "bash", "console", "text"))
    lines = [line.strip().removeprefix("$ ").removeprefix(".venv/bin/") for line in fenced.splitlines()]
    return [line for line in lines if line.startswith("study ")]


def test_the_readme_leads_to_every_page_of_the_docs():
    reachable, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+\.md)", page.read_text()):
            found = (page.parent / target).resolve()
            if found not in reachable and found.exists():
                reachable.add(found)
                waiting.append(found)
    missing = [page.relative_to(ROOT) for page in PAGES if page.resolve() not in reachable and page.name != "README.md"]
    assert missing == []


def test_no_path_of_a_machine_and_no_host_of_a_registry_is_in_the_repository():
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    for name in done.stdout.split("\n"):
        path = ROOT / name
        if not name or not path.is_file() or path.suffix in (".png", ".js") or path == Path(__file__):
            continue
        text = path.read_text(errors="ignore")
        if name.endswith((".lock", "package-lock.json")):
            assert "://" not in text, name


def test_every_option_of_every_command_has_an_environment_twin():
    for name, verb in generate_docs.verbs(typer.main.get_command(app)):
        for option in verb.params:
            if option.param_type_name == "option" and option.name != "help":
                assert str(option.envvar).startswith("STUDY_"), f"study {name} {option.opts[0]}"


def test_options_that_are_repeated_are_given_in_their_twin_with_spaces(tmp_path):
    environment = {"PATH": "/usr/bin:/bin", "STUDY_N": "20 40", "STUDY_EFFECT": "0.5", "STUDY_VAR": str(tmp_path)}
    command = ["power", ROOT / "study.toml", "--sims", "10", "--workers", "1", "--json"]
    done = run_study(command, cwd=tmp_path, environment=environment)
    assert done.returncode == 0, done.stderr
    assert [(row["n"], row["effect"]) for row in json.loads(done.stdout)["power"]] == [(20, 0.5), (40, 0.5)]
