"""`study code interviews` from the sealed half to the report, without a key."""

from __future__ import annotations

import json

import pytest
from support.trials.commands import study
from support.trials.themes_trial import CODEBOOK, SAID, ThemesTrial

from study_app.cli.common import say_facts
from study_app.clock import SystemClock
from study_app.services.researcher.themes.board import InterviewBoard


@pytest.fixture
def trial(tmp_path):
    made = ThemesTrial(tmp_path)
    yield made
    made.close()


THEME = {"hurry": ["hurry"], "trust": ["trust"], "": []}


def code(trial, *arguments, expect=0, **more):
    given = ["--study", trial.study_file, "--database", trial.settings.database]
    return study("code", "interviews", *arguments, *given, cwd=trial.folder, expect=expect, **more)


def reported(trial, *arguments):
    return json.loads(code(trial, *arguments, "--of", "preview", "--json").stdout)


@pytest.mark.slow
def test_the_whole_way_without_a_key(trial):
    trial.hold_many(12)
    trial.close()
    draft = trial.folder / "draft.toml"
    few = code(trial, "induce", "--of", "preview", "--out", draft, expect=2).stderr
    assert "12 answers have 3 words or more; collect 20 at least, or write the codebook by hand" in few
    assert not draft.exists()
    file = trial.folder / "codebook.toml"
    file.write_text(CODEBOOK)
    refused = code(trial, "freeze", file, "--reason", "agreed", expect=2).stderr
    assert "set induced = true" in refused
    file.write_text(CODEBOOK.replace('title = "Talking', 'induced = true\ntitle = "Talking', 1))
    frozen = json.loads(code(trial, "freeze", file, "--reason", "agreed", "--json").stdout)
    assert frozen["codes"] == ["hurry", "trust"]
    assert reported(trial, "code")["coded"] == 12
    assert reported(trial, "gold", "--share", "1")["drawn"] == 6
    status = reported(trial, "status")
    assert (status["codebook"], status["by_rules"]) == (frozen["version"], 6)
    assert (status["gold"], status["gold_coded"]) == (6, 0)
    # Commands go by the real clock; codes by people come after them.
    trial.clock.at = SystemClock().now()
    trial.open()
    board = InterviewBoard(trial.app.context)
    for who in ("ann", "ben"):
        for each in board.waiting(who, "preview"):
            found = {
                topic: THEME[theme] for topic in each.topics for theme in SAID if SAID[theme] in each.answers(topic)
            }
            board.code(who, each.interview_id, found)
    trial.close()
    out = trial.folder / "codes.qdpx"
    assert reported(trial, "export", "--out", out)["interviews"] == 6
    assert reported(trial, "import", out)["codings"] == 0
    study("export", trial.study_file, "--database", trial.settings.database, "--out", trial.folder / "data",
          "--include-preview", cwd=trial.folder)  # fmt: skip
    assert "coded_before_freeze" not in study("verify", trial.folder / "data", cwd=trial.folder).stdout
    results = trial.folder / "results"
    study("analyze", trial.folder / "data", "--include-preview", "--out", results, cwd=trial.folder)
    section = json.loads((results / "results.json").read_text())["interviews"]
    assert (section["coded"], section["gold"]["drawn"], section["gold"]["waiting"]) == (6, 6, 0)
    shares = {(row["outcome"], arm): row for row in section["shares"] for arm in row["n"]}
    assert set(shares) == {(f"theme_{code}", arm) for code in ("hurry", "trust") for arm in ("plain", "other")}
    page = (results / "report.html").read_text()
    assert '<section id="interviews">' in page
    assert "Share in %, corrected" in page
    assert "Obligatory topics asked" in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["freeze", "missing.toml", "--reason", "x"], "missing.toml: there is no such file"),
        (["code"], "no codebook is frozen yet"),
        pytest.param(["gold"], "no codebook is frozen yet", marks=pytest.mark.slow),
        (["induce"], "no interview with an answer has ended yet"),
        pytest.param(["import", "missing.qdpx"], "missing.qdpx: there is no such file", marks=pytest.mark.slow),
        pytest.param(["gold", "--share", "2"], "--share", marks=pytest.mark.slow),
        (["code", "--coder", "gpt"], "--coder"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(trial, arguments, said):
    lines = code(trial, *arguments, expect=2).stderr.splitlines()
    assert len(lines) == 1
    assert said in lines[0]


def test_what_a_command_found_is_said_in_words(capsys):
    say_facts({"codings": 3, "coders": ["ann", "ben"], "passed_over": []}, as_json=False)
    assert capsys.readouterr().out == "codings: 3; coders: ann, ben; passed over: none\n"
