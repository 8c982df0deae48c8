"""Every value of every design key: a study that uses it goes through the steps that carry it, others refuse it."""

from __future__ import annotations

from typing import get_args

import pandas as pd
import pytest
from support.trials.quiz_study import ARMS, OUTCOME, PLAN, keyed_bank, results, simulated, study_text, with_content
from typer.testing import CliRunner

from analysis.cli import analyze
from analysis.pipeline.power.trial_power import trial_power
from study_app.cli import app
from study_app.content.study_file import read_study
from study_app.dataset.verification import verify
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.designs import TABLE, Gate, design_problems, every_value, used_by
from study_app.domain.study.recruiting.sessions import session_problems

SURVEY = """
[[stages]]
id = "{id}"
kind = "{kind}"
[[stages.questions]]
id = "{question}"
kind = "choice"
prompt = "?"
options = [{{ value = 1, label = "a" }}, {{ value = 0, label = "b" }}]
{more}
"""
SCALE = '[[stages.questions]]\nid = "enjoyed"\nkind = "scale"\nlow = 0\nhigh = 7\nprompt = "?"\n'
HELP = '[assistants.full]\nfile = "assistants/full.toml"\n[assistant_policy]\nallow_embedded = true\n'
TASKS = '[[stages]]\nid = "work"\nkind = "tasks"\nminutes = 20\npacks = ["tasks/sorted_scores"]\nassistant = true\n'
DEVICE = '[[stages]]\nid = "device"\nkind = "device"\n'
SECOND = '[[stages]]\nid = "between"\nkind = "instructions"\n'
PERIOD_QUIZ = '[[stages]]\nid = "first_quiz"\nkind = "quiz"\nminutes = 10\nbank = "{bank}"\n'
THIRD_ARM = '[[arms]]\nid = "third"\ninstructions = "Go further."\n'
ONE_ARM = '[[arms]]\nid = "plain"\ncontrol = true\ninstructions = "Go."\n'
PRETEST = '[{ variable = "pretest_points", cuts = [5] }]'


def entry(way: str) -> str:
    return f'{ARMS}[recruitment]\nentry = "{way}"\n'


def plan(*more: str, primary: str = '["quiz_points"]') -> str:
    head = PLAN.replace('["quiz_points"]', primary)
    return head + "\n".join([*more, OUTCOME])


def rows(*entries: str) -> str:
    return "\n".join(f'[[analysis.analyses]]\noutcome = "quiz_points"\n{entry}' for entry in entries)


def looks(kind: str, more: str = "") -> dict[str, str]:
    return {"plan": plan(f'[analysis.stopping]\nkind = "{kind}"\nlooks = [0.5, 1.0]\n{more}')}


def clusters(base: str) -> dict[str, str]:
    return {"allocation": f'method = "cluster"\ncluster = "label"\n{base}'}


def orders(kind: str) -> dict[str, str]:
    return {"allocation": f'method = "sequence"\norders = {kind}', "after": PERIOD_QUIZ + SECOND}


OUTCOMES = """
[[analysis.outcomes]]
id = "posttest_score"
kind = "continuous"
[[analysis.outcomes]]
id = "passed"
kind = "binary"
[[analysis.outcomes]]
id = "enjoyed"
kind = "ordinal"
[[analysis.outcomes]]
id = "pages"
column = "retention_points"
kind = "count"
"""
TIME = """
[[analysis.outcomes]]
id = "completion_minutes"
kind = "time"
event = "completion_event"
"""
STUDIES: dict[str, dict[str, str]] = {
    "one_arm": {"arms": ONE_ARM},
    "three_arms": {
        "arms": ARMS + THIRD_ARM,
        "plan": plan(
            '[analysis.multiplicity]\nmethod = "graphical"\nweights = [0.5, 0.5]\ntransitions = [[0, 1], [1, 0]]'
        ),
    },
    "simple": {"allocation": 'method = "simple"', "plan": plan('[analysis.multiplicity]\nmethod = "none"')},
    "blocks": {
        "arms": entry("links"),
        "allocation": 'method = "permuted_blocks"\nblock_sizes = [2, 4]\nreplacement = "return_slot"',
    },
    "strata": {
        "arms": entry("prolific"),
        "before": SURVEY.format(id="about", kind="survey", question="known", more=""),
        "allocation": f'method = "stratified_blocks"\nstrata = {PRETEST}',
        "plan": plan(
            '[analysis.multiplicity]\nmethod = "hommel"',
            '[analysis.stopping]\ntext = "No look before the end."',
        ),
    },
    "minimisation": {"allocation": f'method = "minimisation"\nfactors = {PRETEST}'},
    "minimisation_sd": {
        "allocation": f'method = "minimisation"\nfactors = {PRETEST}\nmetric = "sd"\nprobability = 0.9\nties = "first"'
    },
    "biased_coin": {
        "allocation": 'method = "biased_coin"',
        "plan": plan('[analysis.multiplicity]\nmethod = "bonferroni"'),
    },
    "urn": {"allocation": 'method = "urn"\nalpha = 2\nbeta = 3'},
    "big_stick": {"allocation": 'method = "big_stick"\nbound = 2'},
    "clusters": clusters('base_method = "permuted_blocks"'),
    "base_simple": clusters('base_method = "simple"'),
    "base_strata": clusters(f'base_method = "stratified_blocks"\nstrata = {PRETEST}'),
    "base_minimisation": clusters(f'base_method = "minimisation"\nfactors = {PRETEST}\nmetric = "variance"'),
    "base_biased_coin": clusters('base_method = "biased_coin"'),
    "base_urn": clusters('base_method = "urn"'),
    "base_big_stick": clusters('base_method = "big_stick"'),
    "orders": orders('"all"'),
    "williams": orders('"williams"'),
    "latin": orders('"latin_square"'),
    "listed_orders": orders('[["plain", "other"], ["other", "plain"]]'),
    "every_stage": {
        "arms": ARMS + HELP,
        "before": SURVEY.format(id="fit", kind="eligibility", question="fits", more="eligible = [1, 0]") + DEVICE,
        "after": TASKS,
        "plan": plan(TIME),
    },
    "roles": {
        "pre": 'role = "baseline"',
        "post": 'role = "main"',
        "late": 'role = "retention"\n[[stages]]\nid = "again"\nkind = "quiz"\nminutes = 5\nbank = "{bank}"\n'
        'session = "later"\nrole = "other"',
    },
    "outcomes": {
        "post": SURVEY.format(id="after", kind="survey", question="passed", more=SCALE).replace(
            "[[stages]]", "[[stages]]", 1
        ),
        "plan": plan(OUTCOMES),
    },
    "populations": {
        "arms": ARMS + HELP,
        "after": TASKS,
        "plan": plan(
            rows(
                'method = "rerandomization"\nlabel = "again"\nrole = "primary"',
                'method = "welch_t"\nrole = "secondary"\npopulation = "per_protocol"',
                'method = "welch_t"\nrole = "sensitivity"\npopulation = "as_treated"',
                'method = "wald_iv"\nrole = "exploratory"\npopulation = "complier"',
            )
        ),
    },
    "looks": looks("obrien_fleming"),
    "looks_pocock": looks("pocock", "futility = [0.3]\nbinding = true"),
    "looks_spending": looks("spending", 'spending = "pocock"'),
    "looks_kim_demets": looks("spending", 'spending = "kim_demets"'),
    "looks_hsd": looks("spending", 'spending = "hwang_shih_decani"\ngamma = -2'),
}
CHANCE = 3.0
"""Points by which two arms of eight may differ before the treatment."""
BY_DEFAULT = ("populations",)
"""Strata run from the command line below; the others take minutes and run with `make test-all`."""


def made(folder, name: str):
    """The file of a study; that of one session has no retention quiz."""
    bank = keyed_bank(folder)
    with_content(folder)
    parts = {key: text.replace("{bank}", bank) for key, text in STUDIES[name].items()}
    text = study_text(**parts, bank=bank)
    if name == "simple":
        start, end = text.index('[[stages]]\nid = "retention"'), text.index('[[stages]]\nid = "debrief"')
        text = (text[:start] + text[end:]).replace('session = "later"', "")
        text = text.replace('[[sessions]]\nid = "later"\ndelay_days = 14', "")
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


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


@pytest.mark.parametrize(
    "name", [name if name in BY_DEFAULT else pytest.param(name, marks=pytest.mark.slow) for name in STUDIES]
)
def test_a_study_of_each_design_goes_through_every_step_that_carries_it(tmp_path, name):
    path = made(tmp_path, name)
    study = read_study(path)
    used = used_by(study)
    count = people(study)
    summary, dataset = simulated(tmp_path, participants=count, effect_score=-5.0)
    assert sum(summary.statuses.values()) == count
    assert verify(dataset).findings == []
    if design_problems(used, "analyze", "study.toml"):
        with pytest.raises(ProblemsFound):
            analyze(dataset, tmp_path / "out", include_simulated=True)
    else:
        analyze(dataset, tmp_path / "out", include_simulated=True)
        (first, *_) = [row for row in results(tmp_path / "out")["estimates"] if row["role"] == "primary"]
        realised = summary.realised[first["contrast"][0]].score
        # Within the width of the interval, four standard errors: a trial in twenty lies outside the interval itself.
        # Points at the floor of the quiz hardly vary, and eight people an arm differ by chance in what they know.
        assert abs(first["estimate"] - realised) <= max(first["ci_high"] - first["ci_low"], CHANCE)
        assert first["estimate"] < 0
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
    "name", [name if name == "strata" else pytest.param(name, marks=pytest.mark.slow) for name in STUDIES_OF_TABLE]
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
