"""Study files that mix waves, clusters, orders, roles, looks and branches: refused by key, or right in every number."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from support.trials.commands import study as study_command
from support.trials.contradictions import CONTRADICTIONS, IN_EACH_RUN, OF_SIZES, recruited
from support.trials.design_studies import (
    FACTORS,
    HELP,
    PERIOD_QUIZ,
    PRETEST,
    PROBES,
    SECOND,
    TASKS,
    THIRD_ARM,
    decided_again,
    entry,
)
from support.trials.design_studies import made as design_study
from support.trials.quiz_study import ARMS, keyed_bank, simulated, study_text, with_content
from support.trials.undecided_plans import UNDECIDED, UNDECIDED_IN_EACH_RUN

from analysis.cli import analyze
from analysis.estimators.methods import METHODS
from analysis.pipeline.people.flow import NOT_ANALYSED
from analysis.pipeline.planning.plan_check import study_plan_problems
from study_app.cli.checks.judging import require_plannable, unused_warnings
from study_app.content.library import FolderLibrary
from study_app.content.study_file import read_study
from study_app.dataset.verification import verify
from study_app.domain.errors import ProblemsFound
from study_app.domain.study.designs import design_problems, used_by
from study_app.services.researcher.fitness import fitness_problems

QUICK = (*IN_EACH_RUN, *UNDECIDED_IN_EACH_RUN)
HEAD = "replicates = 199\nsubgroups = []\n"
QUIZ = '[[analysis.outcomes]]\nid = "quiz_points"\nkind = "bounded"\nupper_column = "quiz_max"\n'
LATE = '[[analysis.outcomes]]\nid = "retention_points"\nkind = "bounded"\nupper_column = "retention_max"\n'
ORDERS = {"allocation": 'method = "sequence"\norders = "all"', "after": PERIOD_QUIZ + SECOND}
CLUSTERS = {"allocation": 'method = "cluster"\ncluster = "label"'}
THREE = {"arms": ARMS + THIRD_ARM}
SURVEY = (
    '[[stages]]\nid = "{id}"\nkind = "survey"\n{stage}\n[[stages.questions]]\nid = "{question}"\nprompt = "?"\n{rest}\n'
)
SCALE = 'kind = "scale"\nlow = 0\nhigh = 7'
CHOICE = 'kind = "choice"\noptions = [{ value = "dev", label = "a" }, { value = "sci", label = "b" }]'
SEVERAL = CHOICE.replace('"choice"', '"multiple"')
TEXT = 'kind = "text"'
ALIKE = CHOICE + '\neligible = ["dev"]'


def asked(name: str, rest: str, stage: str = "", number: str = "more") -> str:
    return SURVEY.format(id=number, question=name, rest=rest, stage=stage)


def plan(
    more: str = "", covariates: str = "[]", primary: str = '["quiz_points"]', outcomes: str = QUIZ
) -> dict[str, str]:
    return {"plan": f"{HEAD}covariates = {covariates}\nprimary = {primary}\n{more}\n{outcomes}"}


def outcome(name: str, kind: str, more: str = "") -> str:
    return f'[[analysis.outcomes]]\nid = "{name}"\nkind = "{kind}"\n{more}\n'


def row(method: str, more: str = "", of: str = "quiz_points") -> str:
    return f'[[analysis.analyses]]\noutcome = "{of}"\nmethod = "{method}"\n{more}\n'


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "clusters named again in the plan": (CLUSTERS | plan('cluster = "cluster_id"'), "analysis.cluster"),
    "an order as the control": (ORDERS | plan('control = "plain>other"'), "analysis.control"),
    "a crossover decided by its retention quiz": (
        ORDERS | plan(primary='["retention_points"]', outcomes=LATE),
        "analysis.primary",
    ),
    "a retention quiz bounded by the main quiz": (
        plan(outcomes=QUIZ + LATE.replace("retention_max", "quiz_max")),
        "analysis.outcomes.retention_points.upper_column",
    ),
    "points of a later wave as yes or no": (
        plan(outcomes=QUIZ + outcome("retention_points", "binary")),
        "analysis.outcomes.retention_points.kind",
    ),
    "points of a later wave as a time": (
        plan(outcomes=QUIZ + outcome("retention_points", "time", "cap = 20")),
        "analysis.outcomes.retention_points.kind",
    ),
    "a pre-test that decides": (
        plan(primary='["pretest_points"]', outcomes=outcome("pretest_points", "continuous")),
        "analysis.primary",
    ),
    "a post-test as covariate of its retention": (
        plan(covariates='[{ column = "posttest_points" }]', primary='["retention_points"]', outcomes=LATE),
        "analysis.covariates.posttest_points",
    ),
    "one quiz under two names, twice primary": (
        plan(primary='["quiz_points", "posttest_points"]', outcomes=QUIZ + outcome("posttest_points", "continuous")),
        "analysis.primary",
    ),
    "an outcome that takes another column's name": (
        plan(outcomes=QUIZ + outcome("pretest_points", "continuous", 'column = "retention_points"')),
        "analysis.outcomes.pretest_points.id",
    ),
    "weights for two of three arms and no graph": (
        THREE | plan("[analysis.multiplicity]\nweights = [0.5, 0.5]"),
        "analysis.multiplicity.weights",
    ),
    "a graph of two rows where looks decide two arms over two quizzes": (
        THREE
        | plan(
            '[analysis.multiplicity]\nmethod = "graphical"\nweights = [0.5, 0.5]\ntransitions = [[0, 1], [1, 0]]\n'
            '[analysis.stopping]\nkind = "pocock"\nlooks = [0.5, 1.0]',
            primary='["quiz_points", "retention_points"]',
            outcomes=QUIZ + LATE,
        ),
        "analysis.multiplicity.weights",
    ),
    "a spending function beside fixed boundaries": (
        CLUSTERS | plan('[analysis.stopping]\nkind = "pocock"\nlooks = [0.5, 1.0]\nspending = "kim_demets"'),
        "analysis.stopping.spending",
    ),
    "a horizon without a time": (plan("horizon = 10"), "analysis.horizon"),
    "the same covariate twice": (
        plan(covariates='[{ column = "pretest_points" }, { column = "pretest_points" }]'),
        "analysis.covariates",
    ),
    "levels that no one can answer": (
        {"before": asked("role", CHOICE)} | plan(covariates='[{ column = "role", scores = ["dev", "boss"] }]'),
        "analysis.covariates.role.scores",
    ),
    "free text as a stratum's covariate": (
        {"before": asked("role", TEXT)} | plan(covariates='[{ column = "role" }]'),
        "analysis.covariates.role",
    ),
    "several answers as a moderator": (
        {"before": asked("role", SEVERAL)}
        | plan(outcomes=QUIZ + row("interaction", 'options = { moderator = "role" }')),
        "analysis.analyses.quiz_points.interaction.options.moderator",
    ),
    "a correlation with words": (
        {"before": asked("role", CHOICE)} | plan(outcomes=QUIZ + row("spearman", 'options = { x = "role" }')),
        "analysis.analyses.quiz_points.spearman.options.x",
    ),
    "a text question as outcome": (
        {"post": asked("felt", TEXT)} | plan(outcomes=QUIZ + outcome("felt", "ordinal")),
        "analysis.outcomes.felt.column",
    ),
    "a primary asked by what followed": (
        {"post": asked("enjoyed", SCALE) + asked("why", SCALE, 'when = "enjoyed >= 3"', "further")}
        | plan(primary='["why"]', outcomes=outcome("why", "ordinal")),
        "analysis.primary",
    ),
    "limits of compliance without tasks": (
        CLUSTERS | plan("[analysis.compliance]\nquiz_away_minutes = 2"),
        "analysis.compliance.quiz_away_minutes",
    ),
    "no primary outcome beside looks": (
        plan('[analysis.stopping]\nkind = "pocock"\nlooks = [0.5, 1.0]', primary="[]"),
        "analysis.primary",
    ),
    "minimisation by a quiz of a later wave": (
        {"allocation": 'method = "minimisation"\nfactors = [{ variable = "retention_points", cuts = [5] }]'} | plan(),
        "allocation",
    ),
    "points of the pre-test beside their share": (
        plan(covariates='[{ column = "pretest_points" }, { column = "pretest_score" }]'),
        "analysis.covariates.pretest_score",
    ),
    "the stratum as covariate of a stratified trial": (
        {"allocation": f'method = "stratified_blocks"\nstrata = {PRETEST}'}
        | plan(covariates='[{ column = "stratum" }]'),
        "analysis.covariates.stratum",
    ),
    "a covariate that lets everyone in by one answer": (
        {"before": asked("fits", ALIKE).replace("survey", "eligibility")} | plan(covariates='[{ column = "fits" }]'),
        "analysis.covariates.fits",
    ),
    "strata by what everyone answers alike": (
        {
            "before": asked("fits", ALIKE).replace("survey", "eligibility"),
            "allocation": 'method = "stratified_blocks"\nstrata = [{ variable = "fits" }]',
        }
        | plan(),
        "allocation.strata.fits",
    ),
    "strata by points that no pre-test has": (
        {"allocation": 'method = "stratified_blocks"\nstrata = [{ variable = "pretest_points", cuts = [5, 500] }]'}
        | plan(),
        "allocation.strata.pretest_points.cuts",
    ),
    "minimisation below the fewest points, in clusters": (
        {
            "allocation": 'method = "cluster"\ncluster = "label"\nbase_method = "minimisation"\n'
            'factors = [{ variable = "pretest_points", cuts = [0] }]'
        }
        | plan(),
        "allocation.factors.pretest_points.cuts",
    ),
    "a margin of non-inferiority beyond the quiz": (
        plan(outcomes=QUIZ + row("noninferiority", "options = { margin = 10.0 }")),
        "analysis.analyses.quiz_points.noninferiority.options.margin",
    ),
    "a margin of equivalence beyond the retention quiz": (
        plan('[[analysis.margins]]\noutcome = "retention_points"\nmargin = 50', outcomes=QUIZ + LATE),
        "analysis.margins.retention_points.margin",
    ),
    "a second decision by points of a share": (
        decided_again() | {"arms": decided_again()["arms"].replace(">= 0.65", ">= 7")} | plan(),
        "second_decision.responds",
    ),
    "a second decision to which everyone responds": (
        decided_again() | {"arms": decided_again()["arms"].replace(">= 0.65", ">= 0")} | plan(),
        "second_decision.responds",
    ),
    "factors over periods": ({"arms": FACTORS} | ORDERS | plan(), "allocation.method"),
    "an interview before the retention quiz": (
        {"post": '[[stages]]\nid = "talk"\nkind = "interview"\nplan = "talk.toml"\n'} | plan(),
        "stages.talk",
    ),
    "a main quiz for those who answered so": (
        {"before": asked("years", SCALE), "post": 'when = "years >= 3"'} | plan(),
        "stages.posttest.when",
    ),
    "a retention quiz of one arm": (
        {"late": 'arms = ["other"]'} | plan(primary='["retention_points"]', outcomes=LATE),
        "stages.retention.arms",
    ),
    "probes after the end of a task": (
        {"arms": ARMS + HELP, "after": TASKS + PROBES.replace("[2, 5]", "[2, 25]")} | plan(),
        "probes.1.at_minutes",
    ),
    "as treated without tasks in clusters": (
        CLUSTERS | plan(outcomes=QUIZ + row("ancova", 'adjusted = true\npopulation = "as_treated"')),
        "analysis.analyses.quiz_points.ancova.as_treated.population",
    ),
}
TAKEN: dict[str, dict[str, str]] = {
    "waves in clusters with Lee's bounds of the retention": CLUSTERS
    | plan(outcomes=QUIZ + LATE + row("welch_t", of="retention_points") + row("lee_bounds", of="retention_points")),
    "three arms by minimisation with a direct contrast": THREE
    | {"allocation": f'method = "minimisation"\nfactors = {PRETEST}'}
    | plan(outcomes=QUIZ + row("welch_t", 'contrast = ["third", "other"]') + row("welch_t")),
    "strata by the pre-test and a covariate that some are asked": {
        "arms": entry("links"),
        "allocation": f'method = "stratified_blocks"\nstrata = {PRETEST}',
        "before": asked("years", SCALE) + asked("much", SCALE, 'when = "years >= 4"', "further"),
    }
    | plan(covariates='[{ column = "pretest_points" }, { column = "much" }]', outcomes=QUIZ + row("welch_t")),
    "unequal arms, two primary quizzes by a graph": {
        "arms": ARMS.replace('id = "other"', 'id = "other"\nweight = 2'),
        "allocation": 'method = "simple"',
    }
    | plan(
        '[analysis.multiplicity]\nmethod = "graphical"\nweights = [0.7, 0.3]\ntransitions = [[0, 1], [1, 0]]',
        primary='["quiz_points", "retention_points"]',
        outcomes=QUIZ + LATE + row("welch_t") + row("welch_t", of="retention_points"),
    ),
    "factors over clusters": {"arms": FACTORS} | CLUSTERS | plan(outcomes=QUIZ + row("welch_t")),
    "unequal arms over clusters, the retention quiz decides": CLUSTERS
    | {"arms": ARMS.replace('id = "other"', 'id = "other"\nweight = 2')}
    | plan(primary='["retention_points"]', outcomes=LATE + row("welch_t", of="retention_points")),
    "three arms whose looks wait for the retention quiz": THREE
    | plan(
        '[analysis.stopping]\nkind = "pocock"\nlooks = [0.5, 1.0]',
        primary='["retention_points"]',
        outcomes=LATE + row("welch_t", of="retention_points"),
    ),
    "retention as the main quiz, the post-test as other": {"post": 'role = "other"', "late": 'role = "main"'}
    | plan(
        outcomes=QUIZ + outcome("posttest_points", "continuous") + row("welch_t") + row("welch_t", of="posttest_points")
    ),
}


def refusals(folder, parts: dict[str, str]) -> list[str]:
    """What `check` and `launch` both say of a study file, each with its key."""
    bank = keyed_bank(folder)
    with_content(folder)
    path = folder / "study.toml"
    text = study_text(**{name: part.replace("{bank}", bank) for name, part in parts.items()}, bank=bank)
    old, _, new = parts.get("instead", "=>").partition("=>")
    assert old in text
    path.write_text(text.replace(old, new, 1) if old else text)
    shipped = (folder / "assistants" / "full.toml").read_text("utf-8")
    (folder / "late.toml").write_text(shipped.replace("opens_after_minutes = 0", "opens_after_minutes = 60"), "utf-8")
    try:
        study = read_study(path)
    except ProblemsFound as found:
        return [str(problem) for problem in found.problems]
    library = FolderLibrary(study, folder, "study.toml")
    try:
        found = fitness_problems(study, library, "study.toml") + study_plan_problems(study, library.bank, "study.toml")
    except ProblemsFound as unreadable:
        return [str(problem) for problem in unreadable.problems]
    return [str(problem) for problem in found + design_problems(used_by(study), "launch", "study.toml")]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", REFUSED)
def test_a_study_that_contradicts_itself_is_refused_by_its_key(tmp_path, name):
    parts, key = REFUSED[name]
    found = refusals(tmp_path, parts)
    assert [text for text in found if f": {key}" in text], found
    assert all("; " in text for text in found)


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in CONTRADICTIONS | UNDECIDED],
)
def test_a_study_that_says_what_no_step_could_do_is_refused_by_its_key(tmp_path, name):
    parts, key = (CONTRADICTIONS | UNDECIDED)[name]
    found = refusals(tmp_path, parts)
    assert [text for text in found if f"{key}: " in text], found
    assert all("; " in text for text in found)


@pytest.mark.slow
@pytest.mark.parametrize("name", TAKEN)
def test_a_study_that_holds_together_gives_the_differences_of_its_cells(tmp_path, name):
    parts = TAKEN[name]
    assert refusals(tmp_path, parts) == []
    summary, dataset = simulated(tmp_path, participants=36, effect_score=3.0, dropout=0.2)
    assert verify(dataset).findings == []
    analyze(dataset, tmp_path / "out", include_simulated=True)
    found = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    table = pd.read_csv(next((dataset / "data").glob("*_description-participants_data.csv")))
    # People who left stay in the analysis as far as they came.
    people = table[table["arm"].notna() & ~table["status"].isin(NOT_ANALYSED)]
    rows = [row for row in found["estimates"] if row["population"] == "itt"]
    plain = [row for row in rows if row["method"] == "welch_t"]
    assert plain
    for made in plain:
        means = people.groupby("arm")[made["outcome"]].mean()
        treated, control = made["contrast"]
        assert made["estimate"] == pytest.approx(means[treated] - means[control]), made["id"]
    for made in (row for row in rows if row["method"] == "lee_bounds" and "covariates" not in row["id"]):
        treated, control = made["contrast"]
        two = people[people["arm"].isin([treated, control])]
        alone = METHODS["lee_bounds"](two, outcome=made["outcome"], arm="arm", control=control)
        assert (made["ci_low"], made["ci_high"]) == pytest.approx((alone.ci_low, alone.ci_high)), made["id"]
    assert not [row["id"] for row in found["estimates"] if row["estimate"] is None and not row["note"]]


THROUGH_COMMANDS = {
    name: key
    for name, (_, key) in REFUSED.items()
    if name
    in (
        "clusters named again in the plan",
        "a crossover decided by its retention quiz",
        "a retention quiz bounded by the main quiz",
        "levels that no one can answer",
        "a primary asked by what followed",
    )
}
THROUGH_COMMANDS |= dict.fromkeys(("the end in the middle", "a score in the place of the arm"), "")
BY_DEFAULT = ("the end in the middle",)


@pytest.mark.parametrize(
    "name", [name if name in BY_DEFAULT else pytest.param(name, marks=pytest.mark.slow) for name in THROUGH_COMMANDS]
)
def test_each_command_that_judges_a_study_says_the_same_key(tmp_path, name):
    parts, key = (REFUSED | CONTRADICTIONS)[name]
    refusals(tmp_path, parts)
    path = tmp_path / "study.toml"
    commands = {"check": (1, ()), "launch": (2, ("--yes", "--database", f"sqlite:///{tmp_path}/s.db"))}
    commands |= {"power": (2, ("--n", 8, "--sims", 10)), "rehearse": (2, ("--trials", 1, "--out", tmp_path / "t"))}
    said = {}
    for verb, (code, options) in commands.items():
        done = study_command(verb, path, *options, cwd=tmp_path, expect=code)
        lines = done.stderr.splitlines()
        said[verb] = {line for line in lines if line.startswith(f"error: {path}: {key}")}
        assert lines
        assert all(line.startswith("error: ") and "; " in line for line in lines), (verb, done.stderr)
        assert said[verb] == said["check"] != set(), (verb, lines)
    assert not (tmp_path / "prereg.json").exists()
    assert not (tmp_path / "t").exists()


def test_what_check_warns_of_is_said_before_a_trial_is_planned(tmp_path, capsys):
    assert refusals(tmp_path, recruited("target_n = 1")) == []
    path = tmp_path / "study.toml"
    require_plannable(read_study(path), path)
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith(f"warning: {path}: ") for line in lines)
    assert [line for line in lines if "recruitment.target_n: 1 is less than the 2 arms" in line], lines


def test_a_trial_with_one_arm_is_planned_by_neither_command(tmp_path):
    path = design_study(tmp_path, "one_arm")
    for verb in ("power", "rehearse"):
        done = study_command(verb, path, cwd=tmp_path, expect=2)
        assert done.stderr.startswith(f"error: {path}: arms: '1': there is nothing to compare; "), done.stderr


def test_a_trial_is_planned_before_its_content_and_its_ethics_number_are_there(tmp_path):
    assert refusals(tmp_path, plan()) == []
    path = tmp_path / "study.toml"
    path.write_text(path.read_text("utf-8").replace('"keyed"', '"later"').replace('"No. 2026-17"', '"asked for"'))
    require_plannable(read_study(path), path)


@pytest.mark.slow
@pytest.mark.parametrize(("option", "value"), [("vcov", '"HC9"'), ("margin", "-1"), ("nonsense", "1"), ("", "")])
def test_check_and_analyze_say_the_same_of_a_row_from_the_command_line(tmp_path, option, value):
    method = "noninferiority" if option == "margin" else "lin"
    bad = row(method, f"options = {{ {option} = {value} }}")
    key = f"analysis.analyses.quiz_points.{method}.options.{option}"
    if not option:
        bad, key = '[[analysis.secondary]]\nid = "quiz_points"\nkind = "continuous"', "analysis.secondary.quiz_points"
    assert refusals(tmp_path, plan()) == []
    simulated(tmp_path, participants=12)
    text = (tmp_path / "study.toml").read_text("utf-8")
    path = tmp_path / "edited.toml"
    path.write_text(f"{text}\n{bad}", "utf-8")
    done = study_command("check", path, cwd=tmp_path, expect=1)
    assert [line.split(": ")[2] for line in done.stderr.splitlines()] == [key]
    arguments = (tmp_path / "data", "--plan", path, "--out", tmp_path / "out", "--include-simulated")
    refused = study_command("analyze", *arguments, cwd=tmp_path, expect=2)
    assert [line.split(": ", 2)[2] for line in refused.stderr.splitlines()] == [
        line.split(": ", 2)[2] for line in done.stderr.splitlines()
    ]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", OF_SIZES)
def test_a_trial_too_small_for_its_scheme_is_warned_of(tmp_path, name):
    parts, key = OF_SIZES[name]
    assert refusals(tmp_path, parts) == []
    study = read_study(tmp_path / "study.toml")
    assert [text for text in unused_warnings(study) if text.startswith(f"{key}: ")]


def test_groups_of_almost_one_person_each_are_warned_of(tmp_path):
    parts = plan()["plan"].replace("subgroups = []", 'subgroups = [{ column = "pretest_points" }]')
    assert refusals(tmp_path, {"plan": parts}) == []
    said = list(unused_warnings(read_study(tmp_path / "study.toml")))
    assert [text for text in said if ".subgroups.pretest_points: almost every person" in text]


ASSUMED = {
    ("simulate", "--effect-minutes", "-5"): "the study has no main tasks",
    ("simulate", "--noncompliance", "0.2"): "the study has no main tasks",
    ("simulate", "--overconfidence", "0.1"): "no quiz of the study asks for confidence",
    ("power", "--icc", "0.1"): "people are not allocated in clusters",
    ("power", "--cluster-size", "8"): "people are not allocated in clusters",
    ("power", "--periods", "0.6"): "the study compares no treatments within people",
    ("power", "--incomplete", "0.2"): "no primary outcome is a time",
    ("power", "--share", "0.2"): "no primary outcome is a yes or no",
    ("power", "--correlation", "0.2"): "there is one primary outcome",
    ("power", "--r2", "0.4"): "no covariate of the plan enters the comparison",
}


@pytest.mark.parametrize(
    "given",
    [
        each if each[1] in ("--overconfidence", "--r2") else pytest.param(each, marks=pytest.mark.slow)
        for each in ASSUMED
    ],
    ids=" ".join,
)
def test_what_a_study_has_no_place_for_cannot_be_assumed_of_it(tmp_path, given):
    assert refusals(tmp_path, plan()) == []
    verb, option, value = given
    database = ("--database", f"sqlite:///{tmp_path}/s.db", "--participants", 2) if verb == "simulate" else ()
    done = study_command(verb, tmp_path / "study.toml", option, value, *database, cwd=tmp_path, expect=2)
    (line,) = [line for line in done.stderr.splitlines() if line and not line.startswith("warning: ")]
    assert line.startswith("error: ")
    assert f"{option}: {ASSUMED[given]}" in line
