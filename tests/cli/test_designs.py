"""Every value of every design key: a study that uses it goes through the steps that carry it, others refuse it."""

from __future__ import annotations

from typing import get_args

import pandas as pd
import pytest
from support.trials.design_studies import STUDIES, made
from support.trials.quiz_study import results, simulated
from typer.testing import CliRunner

from analysis.cli import analyze
from analysis.pipeline.power.trial_power import trial_power
from study_app.cli import app
from study_app.content.study_file import read_study
from study_app.dataset.verification import verify
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.designs import TABLE, Gate, design_problems, every_value, used_by
from study_app.domain.study.recruiting.sessions import session_problems

FLOOR = 1.5
"""Points of an effect that those cannot show who would have few anyway, and who are more in one arm than in another."""
BY_COMMANDS = "strata"
"""By default one study goes through the steps, from the command line below; the others run with `make test-all`."""


def people(study) -> int:
    """How many are simulated: of clusters enough for limits of an interval."""
    return 48 if study.allocation.method == "cluster" else 16


def test_every_value_of_every_design_key_has_a_row():
    listed = [(design.key, design.value) for design in TABLE]
    assert len(listed) == len(set(listed))
    assert set(listed) == every_value()


def test_every_row_names_a_study_that_uses_the_value(tmp_path):
    used = {}
    for name in STUDIES:
        (tmp_path / name).mkdir()
        used[name] = used_by(read_study(made(tmp_path / name, name)))
    assert [(d.key, d.value) for d in TABLE if (d.key, d.value) not in used[d.study]] == []


def decided(dataset, out, study):
    """The first primary row of the analysis.

    Where factors have a nested control, no planted effect is between levels: the first row with that control.
    """
    analyze(dataset, out, include_simulated=True)
    nested = study.cells and study.control.id not in study.cells
    return next(
        row
        for row in results(out)["estimates"]
        if (row["contrast"] and row["contrast"][1] == study.control.id if nested else row["role"] == "primary")
    )


def simulated_effect(study, summary, contrast) -> float:
    """What the simulation made of the effect: of an arm, or of a factor's level over the cells, the control's 0."""
    made = {arm.id: effect.score for arm in study.arms if (effect := summary.realised.get(arm.id))}
    if contrast[0] in made:
        return made[contrast[0]]

    def mean(level: str) -> float:
        if level == study.control.id:
            return 0.0
        cells = [made.get(arm, 0.0) for arm, levels in study.cells.items() if level in levels.values()]
        return sum(cells) / len(cells)

    return mean(contrast[0]) - mean(contrast[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_a_study_of_each_design_goes_through_every_step_that_carries_it(tmp_path, name):
    study = read_study(made(tmp_path, name))
    used = used_by(study)
    count = people(study)
    summary, dataset = simulated(tmp_path, participants=count, effect_score=-5.0)
    assert sum(summary.statuses.values()) == count
    assert verify(dataset).findings == []
    if design_problems(used, "analyze", "study.toml"):
        with pytest.raises(ProblemsFound):
            analyze(dataset, tmp_path / "out", include_simulated=True)
    else:
        # The same people in the same arms without the effect: what chance did to the arms is in both.
        (tmp_path / "without").mkdir()
        made(tmp_path / "without", name)
        _, without = simulated(tmp_path / "without", participants=count)
        first, plain = (decided(*pair, study) for pair in ((dataset, tmp_path / "out"), (without, tmp_path / "plain")))
        realised = simulated_effect(study, summary, first["contrast"])
        assert realised < -1
        assert first["estimate"] - plain["estimate"] == pytest.approx(realised, abs=FLOOR)
    if not design_problems(used, "power", "study.toml"):
        table = trial_power(study, sizes=[40], effects=[1.0], sims=20, workers="1")
        assert 0 < table["power"][0]["analytic"] < 1


# -- from the command line -------------------------------------------------------------------------------------------

STUDIES_OF_TABLE = sorted({design.study for design in TABLE})
OPEN = "recruitment.entry"
"""What `study launch` refuses besides the table and a panel's sessions: anyone may enter again and again."""


def commands(folder, path) -> dict[str, list[object]]:
    """Each command of a study's life with its arguments, in their order."""
    database, data = ["--database", f"sqlite:///{folder}/study.db"], folder / "data"
    trial = ["--participants", people(read_study(path)), "--seed", 5, "--effect-score", -5]
    return {
        "check": [path],
        "simulate": [path, *trial, *database],
        "export": [path, "--out", data, "--include-simulated", *database],
        "verify": [data],
        "analyze": [data, "--out", folder / "out", "--include-simulated"],
        "power": [path, "--n", 40, "--effect", 1, "--sims", 20, "--workers", 1],
        "launch": [path, "--yes", "--database", f"sqlite:///{folder}/launched.db"],
    }


def refused_keys(path, command: str) -> list[str]:
    """The keys that a command names in its refusal, by the table and by the way in."""
    study = read_study(path)
    if command not in get_args(Gate):
        return []
    keys = [problem.key for problem in design_problems(used_by(study), command, str(path))]
    if command != "launch":
        return keys
    keys += [problem.key for problem in session_problems(study, str(path))]
    return keys + [OPEN] * (study.recruitment.entry == "open")


def assert_numbers(folder, study) -> None:
    """Unadjusted rows are differences of means of the exported cells, of everyone who has them, arm by arm."""
    table = pd.read_csv(next((folder / "data" / "data").glob("*_description-participants_data.csv")))
    rows = results(folder / "out")["estimates"]
    flow = results(folder / "out")["flow"]["arms"]
    assert {arm: entry["allocated"] for arm, entry in flow.items()} == table["arm"].value_counts().to_dict()
    plain = [row for row in rows if row["method"] == "welch_t" and row["population"] == "itt"]
    assert plain or study.allocation.method == "sequence" or study.analysis.analyses
    for row in plain:
        column = study.analysis.outcome(row["outcome"]).name
        means = table.groupby("arm")[column].mean()
        if row["estimate"] is not None:
            assert row["estimate"] == pytest.approx(means[row["contrast"][0]] - means[row["contrast"][1]])
    for row in rows:
        assert row["estimate"] is not None or row["note"], row["id"]
        assert "stopped on these data" not in row["note"], row["note"]


@pytest.mark.parametrize(
    "name", [name if name == BY_COMMANDS else pytest.param(name, marks=pytest.mark.slow) for name in STUDIES_OF_TABLE]
)
def test_each_command_takes_a_design_or_names_the_key_that_it_refuses(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    path = made(tmp_path, name)
    for command, arguments in commands(tmp_path, path).items():
        call = [command, *map(str, arguments)]
        done = CliRunner().invoke(app, call, env={"STUDY_VAR": str(tmp_path / "var")}, catch_exceptions=False)
        keys = refused_keys(path, command)
        said = [line.split(": ")[2] for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert said == keys, (command, done.stderr)
        assert done.exit_code == (0 if not keys else 1 if command == "check" else 2), (command, done.output)
        if command == "analyze" and not keys:
            assert_numbers(tmp_path, read_study(path))
