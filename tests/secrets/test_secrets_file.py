"""What of Streamlit's secrets is not understood is said by name, and nothing of the secrets with it."""

from __future__ import annotations

import pytest

from study_app.secrets.secrets_file import FILE, secrets_files, secrets_problems

AUTH = '[auth]\ncookie_secret = "hush-hush"\n'


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Provide the path of the only file of secrets."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / FILE
    path.parent.mkdir()
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", []),
        ('[console]\nunstated_addresses = true\n[console.roles]\n"anna@example.org" = "full"\n', []),
        ('[console.roles]\nanna@example.org = "full"\n', ["is not TOML (at line 4, column 5)"]),
        (
            '[console.roles]\n"anna@example.org" = "admin"\n',
            ["'admin' is not a role; use one of: monitor, grader, full"],
        ),
        ('[console.roles]\nanna.example = "full"\n', ["console.roles.anna: is a table"]),
        ('[console]\nroles = "full"\n', ["console.roles: is not a table"]),
        ('console = "full"\n', ["console.roles: is not a table"]),
        ('[console]\nunstated_addresses = "yes"\n', ["'yes' is neither true nor false"]),
    ],
)
def test_what_is_not_understood_is_named_without_a_secret(file, text, said):
    file.write_text(text + AUTH if text.startswith("console =") else AUTH + text)
    found = [str(problem) for problem in secrets_problems()]
    assert len(found) == len(said)
    assert all(part in line for part, line in zip(said, found, strict=True)), found
    assert "hush" not in "".join(found)


def test_bytes_that_are_no_text_and_a_file_that_is_not_there_are_no_traceback(file):
    assert secrets_files() == []
    assert secrets_problems() == []
    file.write_bytes(b"\xff\xfe\x00")
    (problem,) = secrets_problems()
    assert "UTF-16" in str(problem)


def test_a_file_of_the_user_counts_too(file, tmp_path):
    other = tmp_path / "home" / FILE
    other.parent.mkdir()
    other.write_text("[console]\nroles = 3\n")
    assert [problem.file for problem in secrets_problems()] == [str(other)]
