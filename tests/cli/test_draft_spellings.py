"""A draft can be tried out with a second spelling of a path, and `serve` and `simulate` say so as `check` does."""

from __future__ import annotations

import pytest
from support.trials.commands import study
from support.trials.console_trial import NoSandbox, Trial

from study_app.bootstrap import start
from study_app.cli.checks.study_checks import draft_spellings


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path)
    made.app.close()
    text = made.study_file.read_text()
    assert 'bank = "quizzes/' in text
    made.study_file.write_text(text.replace('bank = "quizzes/', 'bank = "./quizzes/', 1))
    return made


def test_a_draft_is_told_of_a_second_spelling(trial):
    app = start(trial.settings, clock=trial.clock, sandbox=NoSandbox())
    [problem] = draft_spellings(app, "mine.toml")
    app.close()
    assert (problem.file, problem.key.startswith("stages.")) == ("mine.toml", True)
    assert "is a second spelling of 'quizzes/" in problem.what


@pytest.mark.slow
def test_simulate_warns_of_a_second_spelling_and_goes_on(trial):
    where = (trial.study_file, "--database", f"sqlite:///{trial.folder}/simulated.db")
    done = study("simulate", *where, "--participants", "1", cwd=trial.folder)
    assert "is a second spelling of 'quizzes/" in done.stderr
