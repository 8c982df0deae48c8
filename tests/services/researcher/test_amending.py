"""An amendment: differences are shown, frozen keys refused, and a running server gives it to newcomers at once."""

from __future__ import annotations

import shutil

import pytest
from support.paths import ROOT
from support.trials.console_trial import NoSandbox, Trial

from study_app.bootstrap import start
from study_app.domain.errors import ProblemsFound


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path, launched=True)
    yield made
    made.close()


def amending(trial: Trial, *changes: tuple[str, str]):
    """Another process over the same database, which sees the files as they are now."""
    text = trial.study_file.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    trial.study_file.write_text(text)
    return start(trial.settings, clock=trial.clock, sandbox=NoSandbox(), changed_ok=True)


def test_a_running_server_gives_newcomers_the_amended_version_at_once_and_others_keep_theirs(trial):
    early = trial.enter()
    other = amending(trial, ('title = "How was it?"', 'title = "How did it go?"'))
    other.lifecycle.amend("friendlier heading")
    other.close()
    late = trial.enter()
    versions = [trial.app.session.peek(who).study for who in (early, late)]
    assert [study.stages[-2].title for study in versions] == ["How was it?", "How did it go?"]
    assert trial.app.study.stages[-2].title == "How did it go?"
    with trial.app.context.registry.begin(write=False) as unit:
        met = trial.app.context.versions_met(unit)
    assert [study.stages[-2].title for study in met] == ["How was it?", "How did it go?"]


def test_a_draft_of_an_amendment_is_not_taken_over(trial):
    other = amending(trial, ('title = "How was it?"', 'title = "How did it go?"'))
    other.close()
    assert trial.app.session.peek(trial.enter()).study.stages[-2].title == "How was it?"


def test_an_amendment_says_what_differs_in_keys_and_in_files(trial):
    tasks = trial.folder / "tasks"
    tasks.unlink()
    shutil.copytree(ROOT / "tasks", tasks)
    brief = tasks / "warmup" / "brief.md"
    brief.write_text(brief.read_text() + "\nOne more sentence.\n")
    other = amending(trial, ("target_n = 52", "target_n = 60"))
    changes, problems = other.lifecycle.amendment()
    other.close()
    lines = [line for change in changes for line in change.lines()]
    assert problems == []
    assert "recruitment.target_n: 52 -> 60" in lines
    assert lines[-2:] == ["file tasks/warmup/brief.md:", "  + One more sentence."] or "  + One more sentence." in lines


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ("block_sizes = [2, 4, 6]", "block_sizes = [4, 8]", "allocation"),
        ('method = "permuted_blocks"\nblock_sizes = [2, 4, 6]', 'method = "simple"', "allocation"),
        ('id = "no_ai"', 'id = "none"', "arms"),
    ],
)
def test_what_the_launch_fixed_for_ever_is_refused_with_its_key(trial, before, after, key):
    other = amending(trial, (before, after))
    with pytest.raises(ProblemsFound) as refused:
        other.lifecycle.amend("changed my mind")
    other.close()
    assert [problem.key for problem in refused.value.problems] == [key]
    assert "fixes it permanently" in refused.value.problems[0].remedy
    assert trial.app.session.peek(trial.enter()).participant.study_hash == trial.app.context.study_hash


def test_a_server_whose_files_are_not_the_amendment_s_goes_on_and_says_so(trial, caplog):
    other = amending(trial, ("target_n = 52", "target_n = 60"))
    other.lifecycle.amend("more")
    other.close()
    trial.study_file.write_text(trial.study_file.read_text().replace("target_n = 60", "target_n = 70"))
    who = trial.enter()
    assert trial.app.session.peek(who).study.recruitment.target_n == 52
    assert "bring them up to date" in caplog.text
    trial.study_file.write_text(trial.study_file.read_text().replace("target_n = 70", "target_n = 60"))
    trial.clock.advance(minutes=1)
    assert trial.app.session.peek(trial.enter()).study.recruitment.target_n == 60


def amended_content(trial: Trial) -> None:
    """Change a brief, a prompt, a title of a bank, and record it from another process."""
    changes = {
        "tasks/warmup/brief.md": ("", "\nOne more sentence.\n"),
        "assistants/full.toml": ('version = "', 'version = "9.'),
        "quizzes/trio/bank.toml": ('title = "Trio: ', 'title = "Amended: '),
    }
    for path, (before, after) in changes.items():
        folder = trial.folder / path.split("/")[0]
        if folder.is_symlink():
            folder.unlink()
            shutil.copytree(ROOT / folder.name, folder)
        file = trial.folder / path
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after) if before else text + after)
    other = amending(trial)
    other.lifecycle.amend("other content")
    other.close()


def met(app, who: str) -> tuple[bool, bool, bool]:
    """Whether a participant meets the amended brief, prompt and questions."""
    participant = app.session.peek(who).participant
    content = app.context.content_of(participant)
    assert app.context.edition(participant.study_hash).assistants.keys() >= {"full"}
    return (
        "One more sentence." in content.pack("tasks/warmup").brief,
        content.specs["full"].version.startswith("9."),
        content.bank("quizzes/trio").title.startswith("Amended: "),
    )


def test_participants_keep_the_packs_banks_and_prompts_that_they_started_with_after_an_amendment(trial):
    early = trial.enter()
    amended_content(trial)
    late = trial.enter()
    assert met(trial.app, early) == (False, False, False)
    assert met(trial.app, late) == (True, True, True)


def test_a_server_that_starts_after_an_amendment_finds_the_earlier_content_in_the_database(trial):
    early = trial.enter()
    amended_content(trial)
    again = start(trial.settings, clock=trial.clock, sandbox=NoSandbox())
    try:
        assert met(again, early) == (False, False, False)
        kept = trial.settings.var / "versions" / again.session.peek(early).participant.study_hash
        assert kept.stat().st_mode & 0o077 == 0
        assert all(path.stat().st_mode & 0o077 == 0 for path in kept.rglob("*"))
    finally:
        again.close()


def test_a_file_of_an_earlier_version_that_was_altered_on_the_disk_is_written_anew(trial):
    early = trial.enter()
    amended_content(trial)
    version = trial.app.session.peek(early).participant.study_hash
    brief = trial.settings.var / "versions" / version / "tasks/warmup/brief.md"
    trial.enter()
    trial.app.context.edition(version)
    brief.chmod(0o600)
    brief.write_text("tampered")
    again = start(trial.settings, clock=trial.clock, sandbox=NoSandbox())
    assert "tampered" not in again.context.edition(version).content.pack("tasks/warmup").brief
    again.close()
