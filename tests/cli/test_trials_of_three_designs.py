"""The shipped trial over classes, over periods and over two waves: broken copies name their keys, others work."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from support.trials.commands import LAUNCHABLE, study
from support.trials.shipped import variant

from study_app.cli.checks.study_checks import minutes_problems
from study_app.content.study_file import read_study

BLOCKS = '[allocation]\nmethod = "permuted_blocks"\nblock_sizes = [2, 4, 6]'
CLASSES = '[allocation]\nmethod = "cluster"\ncluster = "label"\nbase_method = "permuted_blocks"'
ORDERS = '[allocation]\nmethod = "sequence"\norders = "all"\nbase_method = "permuted_blocks"'
STATED = (
    "this takes up to about {total_minutes} minutes.",
    "this takes an hour and three quarters, it is 20 minutes at most.",
)
BOTH = 'minutes = 35\npacks = ["tasks/trio_timer", "tasks/trio_users"]\nassistant = true\n'
IN_TURN = (
    'minutes = 20\npacks = ["tasks/trio_timer"]\nassistant = true\n\n[[stages]]\nid = "pause"\nkind = "instructions"\n'
    'title = "The other task"\n\n[[stages]]\nid = "tasks_b"\nkind = "tasks"\ntitle = "The other task"\nminutes = 20\n'
    'packs = ["tasks/trio_users"]\nassistant = true\n'
)
SESSIONS = ('[[sessions]]\nid = "main"\n', '[[sessions]]\nid = "main"\n\n[[sessions]]\nid = "weeks"\ndelay_days = 9\n')
AGAIN = (
    '[[stages]]\nid = "debrief"\nkind = "debrief"\n',
    '[[stages]]\nid = "again"\nkind = "quiz"\ntitle = "Once more"\nsession = "weeks"\nminutes = 25\n'
    'bank = "quizzes/trio_b"\n\n[[stages]]\nid = "debrief"\nkind = "debrief"\nsession = "weeks"\n',
)
PRIMARY = 'primary = ["quiz_points", "completion_minutes"]'
IN_CLASSES = ((BLOCKS, CLASSES),)
IN_PERIODS = ((BLOCKS, ORDERS), (BOTH, IN_TURN))
IN_WAVES = (SESSIONS, AGAIN)
BROKEN = {
    "classes": (
        (*IN_CLASSES, STATED, (PRIMARY, f'{PRIMARY}\ncluster = "label"')),
        {"stages.consent.body", "analysis.cluster"},
    ),
    "periods": ((*IN_PERIODS, STATED), {"stages.consent.body", "analysis.primary"}),
    "waves": (
        (*IN_WAVES, STATED, (PRIMARY, 'primary = ["again_score", "again_points"]')),
        {"analysis.primary"},
    ),
}
REPAIRED = {
    "classes": IN_CLASSES,
    "periods": (*IN_PERIODS, (PRIMARY, 'primary = ["completion_minutes"]')),
    "waves": IN_WAVES,
}


def test_a_trial_that_says_what_its_design_does_not_bear_is_not_planned(tmp_path):
    """By default: of the commands that judge a study, the one that proves no packs; it reads no consent page."""
    changes, keys = BROKEN["periods"]
    path = variant(tmp_path, *LAUNCHABLE, *changes)
    lines = study("power", path, cwd=tmp_path, expect=2).stderr.splitlines()
    assert all(line.startswith("error: ") and "; " in line for line in lines), lines
    read = {problem.key for problem in minutes_problems(read_study(path), str(path))}
    assert keys <= read | {line.split(": ")[2] for line in lines}, lines


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN)
def test_a_trial_that_says_what_its_design_does_not_bear_is_refused_by_key(tmp_path, name):
    changes, keys = BROKEN[name]
    path = variant(tmp_path, *LAUNCHABLE, *changes)
    for verb, options in (("check", ()), ("launch", ("--yes", "--database", f"sqlite:///{tmp_path}/s.db"))):
        done = study(verb, path, *options, cwd=tmp_path, expect=1 if verb == "check" else 2)
        lines = done.stderr.splitlines()
        assert all(line.startswith("error: ") and "; " in line for line in lines), (verb, lines)
        assert keys <= {line.split(": ")[2] for line in lines}, (verb, lines)


@pytest.mark.slow
@pytest.mark.parametrize("name", REPAIRED)
def test_a_trial_whose_design_bears_it_goes_from_check_to_its_results(tmp_path, name):
    path = variant(tmp_path, *LAUNCHABLE, *REPAIRED[name])
    database = ("--database", f"sqlite:///{tmp_path}/s.db")
    assert "No problems found." in study("check", path, cwd=tmp_path).stdout
    people = 16 if name == "classes" else 8
    study("simulate", path, "--participants", people, "--seed", 4, "--effect-score", -3, *database, cwd=tmp_path)
    study("export", path, "--out", "data", "--include-simulated", *database, cwd=tmp_path)
    study("verify", "data", cwd=tmp_path)
    study("analyze", "data", "--include-simulated", "--out", "out", cwd=tmp_path)
    rows = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))["estimates"]
    table = pd.read_csv(next((tmp_path / "data" / "data").glob("*_description-participants_data.csv")))
    assert len(table) == people
    assert ("cluster_id" in table) == (name == "classes")
    assert ("again_points" in table) == (name == "waves")
    assert [row["id"] for row in rows if row["role"] == "primary"]
    assert all(row["estimate"] is not None or row["note"] for row in rows)
    if name == "periods":
        assert {row["method"] for row in rows if row["role"] == "primary"} <= {"crossover", "rerandomization"}
    else:
        means = table.groupby("arm")["quiz_points"].mean()
        plain = (
            next(r for r in rows if r["method"] == "welch_t" and r["outcome"] == "quiz_points")
            if (name == "waves")
            else None
        )
        assert plain is None or plain["estimate"] == pytest.approx(means["ai"] - means["no_ai"])
