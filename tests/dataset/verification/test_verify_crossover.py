"""Forgeries of a crossover, in its dataset and in its database: those of one period, and those of any other trial."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from support.trials.quiz_study import OUTCOME, PLAN, keyed_bank, simulated, written
from test_verify_forgeries import EDITS
from test_verify_more_forgeries import CODE, SQL
from test_verify_tampering import Forger, names

from study_app.clock import SystemClock
from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export
from study_app.settings import Settings
from study_app.simulation import open_for_simulation

TASKS = """
[[stages]]
id = "{id}"
kind = "tasks"
minutes = 20
packs = ["./tasks/sorted_scores"]
assistant = true
"""
QUIZ = '[[stages]]\nid = "quiz"\nkind = "quiz"\nminutes = 10\nbank = "{bank}"\n'
BETWEEN = '[[stages]]\nid = "between"\nkind = "instructions"\n'
ARMS = """
[[arms]]
id = "hinted"
control = true
assistant = "hints"
[[arms]]
id = "helped"
assistant = "full"
[assistants.hints]
file = "./assistants/hints.toml"
[assistants.full]
file = "./assistants/full.toml"
[assistant_policy]
allow_embedded = true
"""


@pytest.fixture(scope="module")
def crossed(tmp_path_factory) -> Path:
    """A crossover of two assistants without a persona; its study, database and honest dataset."""
    folder = tmp_path_factory.mktemp("crossed")
    bank = keyed_bank(folder)
    after = TASKS.format(id="first") + QUIZ.format(bank=bank) + BETWEEN + TASKS.format(id="second")
    written(folder, arms=ARMS, allocation='method = "sequence"', after=after, bank=bank, plan=PLAN + OUTCOME)
    simulated(folder, participants=2, seed=7)
    assert verify(folder / "data").findings == []
    return folder


# -- the dataset -------------------------------------------------------------------------------------------------------


def of_the_other_period(forger: Forger) -> None:
    """A turn answered by the treatment that its person has in the other period."""
    other = {"hints": "full", "full": "hints"}
    row = forger.rows("turns")[0]
    forger.change("turns", lambda r: r["turn_id"] == row["turn_id"], treatment=other[row["treatment"]])


def periods_exchanged(forger: Forger) -> None:
    rows = forger.rows("periods")
    rows[0]["treatment"], rows[1]["treatment"] = rows[1]["treatment"], rows[0]["treatment"]
    forger.write("periods", rows)


def minutes_of_periods_exchanged(forger: Forger) -> None:
    rows = forger.rows("periods")
    rows[0]["minutes"], rows[1]["minutes"] = rows[1]["minutes"], rows[0]["minutes"]
    forger.write("periods", rows)


def period_removed(forger: Forger) -> None:
    forger.write("periods", forger.rows("periods")[:-1])


def order_reversed(forger: Forger) -> None:
    row = forger.rows("participants")[0]
    forger.change("participants", lambda r: r == row, arm=">".join(reversed(row["arm"].split(">"))))


def order_reversed_in_the_ledger(forger: Forger) -> None:
    row = forger.rows("allocations")[0]
    forger.change("allocations", lambda r: r == row, arm=">".join(reversed(row["arm"].split(">"))))


def programs_of_periods_exchanged(forger: Forger) -> None:
    rows = forger.rows("runs")
    mine = [row for row in rows if row["kind"] == "submission" and row["participant_id"] == rows[0]["participant_id"]]
    mine[-1]["started_at"], mine[-2]["started_at"] = mine[-2]["started_at"], mine[-1]["started_at"]
    forger.write("runs", rows)


OF_PERIODS = [
    (of_the_other_period, "treatment_differs"),
    (periods_exchanged, "derived_differs"),
    (minutes_of_periods_exchanged, "derived_differs"),
    (period_removed, "derived_differs"),
    (order_reversed, "arm_differs"),
    (order_reversed_in_the_ledger, "wrong_arm"),
    (programs_of_periods_exchanged, "record_altered"),
]


@pytest.mark.parametrize(
    ("edit", "name"),
    [pytest.param(*each, id=each[0].__name__, marks=[] if n in (0, 1) else pytest.mark.slow)
     for n, each in enumerate(OF_PERIODS)],
)  # fmt: skip
def test_a_forgery_of_a_period_is_found_and_named(crossed, tmp_path, edit, name):
    forger = Forger(crossed / "data", tmp_path)
    edit(forger)
    forger.repair()
    assert name in names(verify(forger.path))


OF_ANY = [each for each in EDITS if each[0].__qualname__.startswith("cell.")]
"""Those that need no arm, task or person of the trial that they were written for."""


@pytest.mark.slow
@pytest.mark.parametrize(("edit", "name"), OF_ANY, ids=lambda part: getattr(part, "__name__", part))
def test_a_forgery_of_any_trial_is_found_in_a_crossover_too(crossed, tmp_path, edit, name):
    forger = Forger(crossed / "data", tmp_path)
    edit(forger)
    forger.repair()
    # The records find first what a forger who makes them anew would leave to the columns that follow from it.
    assert names(verify(forger.path)) & {name, "record_altered"}


# -- the database ------------------------------------------------------------------------------------------------------

HERE = {
    "kind = 'real'": "kind = 'simulated'",
    "ledger = 'real'": "ledger = 'simulated'",
    "'no_ai'": "'helped>hinted'",
    "'ai'": "'hinted>helped'",
    '"no_ai"': '"helped>hinted"',
    '"ai"': '"hinted>helped"',
    "'tasks'": "'first'",
    "'warmup'": "'between'",
    "'retention'": "'first'",
}
"""Words of the trial that the statements were written for -> those of this one."""
NOT_HERE = {
    "a preview that becomes real", "a withdrawal that is taken back", "the reason of an exclusion", "who excluded",
    "the text of the protocol", "why the protocol was changed", "when the study was launched", "the registration",
    "the commitment to the seed", "hashes of the materials", "when the protocol was locked",
    "the first entry of the audit log", "the last entry of the audit log", "the audit log with every hash",
    "a wave that was closed", "a look that was invented", "no signature of the head",
}  # fmt: skip
"""What only a launched trial has; a simulation is not signed either."""
QUICK = {"what the assistant said", "an arm in participants"}


def here(statement: str, item: str) -> str:
    for word, mine in HERE.items():
        statement = statement.replace(word, mine)
    return statement.replace("item = 'start_call'", f"item = '{item}' AND stage = 'quiz'")


@pytest.mark.parametrize(
    "what",
    [pytest.param(w, marks=[] if w in QUICK else pytest.mark.slow) for w in (*SQL, *CODE) if w not in NOT_HERE],
)
def test_a_change_of_the_database_of_a_crossover_is_found(crossed, tmp_path, what):
    shutil.copytree(crossed, tmp_path / "study", symlinks=True, ignore=shutil.ignore_patterns("data"))
    folder = tmp_path / "study"
    statements = SQL.get(what, ())
    with sqlite3.connect(folder / "study.db") as database:
        [item] = database.execute("SELECT item FROM answers WHERE bank != '' LIMIT 1").fetchone()
        for statement in [statements] if isinstance(statements, str) else statements:
            assert database.execute(here(statement, item)).rowcount, statement
        if what in CODE:
            CODE[what](_Here(database))
    settings = Settings(folder / "study.toml", f"sqlite:///{folder}/study.db", folder, environment={})
    app = open_for_simulation(settings, 7)
    app.context.clock = SystemClock()
    export(app.context, tmp_path / "data", include_simulated=True)
    app.close()
    report = verify(tmp_path / "data")
    assert report.classes["tampering"], names(report)


class _Here:
    """A database that is asked in the words of this trial."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def execute(self, statement: str, values: tuple = ()) -> sqlite3.Cursor:
        return self._database.execute(here(statement, ""), values)
