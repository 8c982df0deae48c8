"""Amendments of a launched study: a stage, a quiz or a row that breaks the plan is refused by key, as by `launch`."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.trials.design_studies import entry
from support.trials.quiz_study import keyed_bank, study_text, with_content
from typer.testing import CliRunner

from study_app.cli import app

FELT = (
    '[[stages]]\nid = "after"\nkind = "survey"\n[[stages.questions]]\nid = "felt"\nprompt = "?"\nkind = "scale"\n'
    "low = 0\nhigh = 7\n"
)
ROLE = (
    '[[stages]]\nid = "about"\nkind = "survey"\n[[stages.questions]]\nid = "work"\nprompt = "?"\nkind = "choice"\n'
    'options = [{ value = "dev", label = "a" }, { value = "sci", label = "b" }]\n'
)
PLAN = """primary = ["quiz_points"]
replicates = 199
subgroups = []
covariates = [{ column = "work", scores = ["dev", "sci"] }]
[[analysis.outcomes]]
id = "quiz_points"
kind = "bounded"
upper_column = "quiz_max"
[[analysis.outcomes]]
id = "retention_points"
kind = "continuous"
[[analysis.outcomes]]
id = "felt"
kind = "ordinal"
[[analysis.analyses]]
outcome = "felt"
method = "mann_whitney"
[[analysis.analyses]]
outcome = "retention_points"
method = "welch_t"
"""
RETENTION = (
    '[[stages]]\nid = "retention"\nkind = "quiz"\ntitle = "Two weeks later"\nminutes = 20\nbank = "keyed"\n'
    'session = "later"\n'
)
CHANGES = {
    "a stage goes that an outcome is measured in": ((RETENTION, ""), "analysis.outcomes.retention_points.column"),
    "a stage has another name": (
        ('id = "retention"', 'id = "delayed"'),
        "analysis.outcomes.retention_points.column",
    ),
    "the main quiz becomes one of other": (
        ('title = "After"', 'title = "After"\nrole = "other"'),
        "stages",
    ),
    "a quiz decides the trial that comes before allocation": (
        ('primary = ["quiz_points"]', 'primary = ["pretest_points"]'),
        "analysis.primary",
    ),
    "a scale becomes a text": (
        ('kind = "scale"\nlow = 0\nhigh = 7', 'kind = "text"'),
        "analysis.outcomes.felt.column",
    ),
    "an answer is offered that the plan has no score for": (
        ('{ value = "sci", label = "b" }', '{ value = "sci", label = "b" }, { value = "boss", label = "c" }'),
        "analysis.covariates.work.scores",
    ),
    "an option that its method does not take": (
        ('method = "welch_t"', 'method = "welch_t"\noptions = { vcov = "HC2" }'),
        "analysis.analyses.retention_points.welch_t.options.vcov",
    ),
    "the question of a covariate goes": (
        (ROLE, ""),
        "analysis.covariates.work",
    ),
    "answers that let in, outside of the eligibility form": (
        (ROLE, f'{ROLE}eligible = ["dev"]\n'),
        "stages.about.questions.work.eligible",
    ),
    "a condition that no one meets": (
        (
            'id = "after"\nkind = "survey"',
            'id = "after"\nkind = "survey"\nwhen = "work == \'dev\' and work == \'sci\'"',
        ),
        "stages.after.when",
    ),
    "anyone may enter": (('entry = "links"', 'entry = "open"'), "recruitment.entry"),
}


def command(*arguments: object, folder: Path):
    given = [*map(str, arguments), "--database", f"sqlite:///{folder}/study.db"]
    return CliRunner().invoke(app, given, env={"STUDY_VAR": str(folder / "var")}, catch_exceptions=False)


@pytest.fixture(scope="module")
def launched(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("launched")
    bank = keyed_bank(folder)
    with_content(folder)
    text = study_text(arms=entry("links"), before=ROLE, post=FELT, plan=PLAN, bank=bank)
    (folder / "study.toml").write_text(text, "utf-8")
    (folder / "locked.toml").write_text(text, "utf-8")
    done = command("launch", folder / "study.toml", "--yes", "--out", folder, folder=folder)
    assert done.exit_code == 0, done.output
    return folder


BY_DEFAULT = ("a stage goes that an outcome is measured in",)


@pytest.mark.parametrize(
    "name", [name if name in BY_DEFAULT else pytest.param(name, marks=pytest.mark.slow) for name in CHANGES]
)
def test_an_amendment_that_breaks_the_plan_is_refused_by_its_key(launched, name):
    (before, after), key = CHANGES[name]
    text = (launched / "locked.toml").read_text("utf-8")
    assert before in text
    path = launched / "study.toml"
    path.write_text(text.replace(before, after), "utf-8")
    done = command("amend", path, "--dry-run", folder=launched)
    assert done.exit_code == 2, done.output
    lines = done.stderr.splitlines()
    assert all(line.startswith(f"error: {path}: ") and "; " in line for line in lines), lines
    assert key in [line.split(": ")[2] for line in lines], lines


def test_an_amendment_that_the_plan_can_bear_is_recorded(launched):
    path = launched / "study.toml"
    path.write_text((launched / "locked.toml").read_text("utf-8").replace("Two weeks later", "Later"), "utf-8")
    done = command("amend", path, "--yes", "--reason", "a shorter title", folder=launched)
    assert done.exit_code == 0, done.output
    assert "Amended." in done.stdout
