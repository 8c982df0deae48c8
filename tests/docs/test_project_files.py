"""Files around the code that editors, hosts and citation tools read: each can be parsed and names what exists."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
FORMS = sorted(path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def read(name: str | Path):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_an_issue_form_has_what_the_host_needs(path):
    form = read(path)
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert fields
    assert len({field["id"] for field in fields}) == len(fields)
    assert all(field["attributes"]["label"] for field in fields)


def test_the_settings_of_issues_can_be_read():
    assert isinstance(read(".github/ISSUE_TEMPLATE/config.yml")["blank_issues_enabled"], bool)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_of_a_workflow_calls_what_exists(path):
    workflow = read(path)
    assert workflow[True], "on: is read as a truth value by YAML 1.1"
    for job in workflow["jobs"].values():
        assert job["runs-on"]
        assert job["timeout-minutes"] <= 60
        for command in [step["run"] for step in job["steps"] if "run" in step]:
            program, *arguments = command.split()
            assert set(arguments) <= TARGETS if program == "make" else (ROOT / program).is_file(), command


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_claim_only_the_version_and_system_that_runs_were_made_on(path):
    for job in read(path)["jobs"].values():
        container = job["container"]
        assert (container if isinstance(container, str) else container["image"]) == "python:3.11-bookworm"
    claimed = [
        name for name in PROJECT["classifiers"] if name.startswith(("Operating System ::", "Programming Language"))
    ]
    assert claimed == ["Operating System :: POSIX :: Linux", "Programming Language :: Python :: 3.11"]


def test_hooks_before_a_commit_run_what_the_project_has_installed():
    (repository,) = read(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        assert (ROOT / hook["entry"].split()[0]).is_file(), hook["id"]


def test_the_editor_settings_can_be_read():
    parser = configparser.ConfigParser()
    parser.read_string("[top]\n" + (ROOT / ".editorconfig").read_text(encoding="utf-8"))
    assert parser["top"]["root"] == "true"
    assert parser["Makefile"]["indent_style"] == "tab"
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    assert int(parser["*"]["max_line_length"]) == ruff["line-length"]


def test_the_development_container_has_the_python_of_the_workflows_and_the_ports_of_the_apps():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert container["image"] == "python:3.11-bookworm"
    assert container["forwardPorts"] == [8501, 8502]
    assert set(re.findall(r"make ([a-z-]+)", container["postCreateCommand"])) <= TARGETS


def test_the_citation_names_this_version_under_this_licence():
    citation = read("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "type", "abstract", "authors", "keywords"} <= set(citation)
    assert citation["title"] == PROJECT["name"]
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in PROJECT["authors"]]
    assert all(reference["title"] and reference["authors"] for reference in citation["references"])


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "README.md", ".github/pull_request_template.md"])
def test_a_page_for_contributors_names_targets_and_paths_that_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M)) <= TARGETS
    for name in re.findall(r"`((?:study_app|analysis|tests|scripts|tasks|quizzes|assistants)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), name


def test_the_commands_of_a_contributor_start_what_exists():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for command in re.findall(r"`\.venv/bin/python ([^`]+)`", text):
        words = command.split()
        assert words[0].endswith(".py") or words[:2] == ["-m", "pytest"], command
        for word in words:
            assert (ROOT / word).exists() or not word.startswith(("tests/", "scripts/")), command
    makes = re.findall(r"`make [a-z-]+ PARTS=\"([^\"]+)\"`", text)
    assert makes
    parts = set(re.findall(r'^    "(\w+)": \[', (ROOT / "scripts/test_all.py").read_text(encoding="utf-8"), re.M))
    assert {part for named in makes for part in named.split()} <= parts


@pytest.mark.parametrize("package", ["study_app", "analysis"])
def test_types_are_offered_to_those_who_import_the_package(package):
    assert (ROOT / package / "py.typed").read_bytes() == b""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    assert "py.typed" in data["*"]
