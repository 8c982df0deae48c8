"""Rules that came after a launch keep no amendment back for what the locked version has too; new faults are refused."""

from __future__ import annotations

import shutil

import pytest
from support.paths import ROOT
from support.trials.console_trial import NoSandbox, Trial

from study_app.bootstrap import start
from study_app.cli.checks.study_checks import fresh_problems
from study_app.content.requirements import other_files_problems
from study_app.services.researcher import lifecycle


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """A trial that was launched before there were rules about spelling, links and other files."""
    made = Trial(tmp_path)
    made.app.close()
    for name in ("tasks", "quizzes"):
        (tmp_path / name).unlink()
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "tasks" / "warmup").rename(tmp_path / "tasks" / "first")
    (tmp_path / "tasks" / "warmup").symlink_to("first")
    head = tmp_path / "tasks" / "first" / "task.toml"
    head.write_text(head.read_text().replace('"warmup"', '"first"'))
    (tmp_path / "pictures").mkdir()
    (tmp_path / "quizzes" / "trio" / "pictures").symlink_to(tmp_path / "pictures")
    (tmp_path / "requirements.txt").write_text("-r more.txt\n")
    change(made, 'bank = "quizzes/', 'bank = "./quizzes/')
    made.study_file.write_text('requirements = "requirements.txt"\n' + made.study_file.read_text())
    made.app = amending(made)
    with monkeypatch.context() as patched:
        patched.setattr(lifecycle, "launch_problems", lambda _context: [])
        made.app.lifecycle.launch()
    yield made
    made.close()


def change(trial: Trial, before: str, after: str) -> None:
    text = trial.study_file.read_text()
    assert before in text
    trial.study_file.write_text(text.replace(before, after, 1))


def amending(trial: Trial):
    return start(trial.settings, clock=trial.clock, sandbox=NoSandbox(), changed_ok=True)


def problems(trial: Trial) -> list[str]:
    app = amending(trial)
    found = app.lifecycle.amendment()[1]
    file = str(trial.study_file)
    found += fresh_problems(app, other_files_problems(app.library.requirements, file), file)
    app.close()
    return sorted({f"{each.key or each.file}: {each.what}"[:60] for each in found})


def test_faults_of_the_locked_version_are_passed_over_and_new_ones_are_refused(trial):
    change(trial, "target_n = 52", "target_n = 60")
    brief = trial.folder / "tasks" / "first" / "brief.md"
    brief.write_text(brief.read_text() + "\nOne more sentence.\n")
    assert problems(trial) == []
    app = amending(trial)
    app.lifecycle.amend("more people")
    app.close()
    change(trial, 'packs = ["tasks/warmup"]', 'packs = ["./tasks/warmup"]')
    (trial.folder / "requirements.txt").write_text("-r more.txt\n-e .\n")
    keys = trial.folder / "quizzes" / "trio" / "keys"
    keys.rename(trial.folder / "keys")
    keys.symlink_to(trial.folder / "keys")
    # Where the locked version has no file, and no link.
    (trial.folder / "quizzes" / "trio" / "sketches").symlink_to(trial.folder / "pictures")
    said = problems(trial)
    expected = (
        "quizzes/trio/keys: is a link",
        "quizzes/trio/sketches: is a link",
        "requirements: requirements.txt: '-e .'",
        "stages.warmup.packs: './tasks",
    )
    assert len(said) == len(expected), said
    assert all(line.startswith(start) for line, start in zip(said, expected, strict=True)), said
