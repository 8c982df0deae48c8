"""Small studies that use every value of every design key between them; the design table names them."""

from __future__ import annotations

from pathlib import Path

from support.paths import ROOT
from support.trials.quiz_study import ARMS, OUTCOME, PLAN, keyed_bank, study_text, with_content

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
PROBES = '[[probes]]\nat_minutes = [2, 5]\nstages = ["work"]\ntasks = ["sorted_scores"]\n'
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
FACTORS = """
[[factors]]
id = "tone"
levels = { calm = { instructions = "Go." }, keen = { instructions = "Go, go." } }
[[factors]]
id = "promise"
levels = { none = {}, made = { pledge = "I try." } }
[arms_from]
factors = ["tone", "promise"]
"""
CONTROLLED = FACTORS + 'plus_control = { id = "plain", instructions = "Read." }\n'
HALFWAY = (
    '[[stages]]\nid = "halfway"\nkind = "quiz"\nminutes = 10\nbank = "{bank}"\nrole = "other"\n'
    '[[stages]]\nid = "second"\nkind = "instructions"\n'
)
SECOND_DECISION = """[second_decision]
stage = "second"
responds = "halfway_score >= 0.65"
{more}
[[second_decision.treatments]]
id = "stay"
[[second_decision.treatments]]
id = "more"
instructions = "Read it once more, with the examples."
"""


def decided_again(more: str = "", allocation: str = 'method = "permuted_blocks"') -> dict[str, str]:
    return {"arms": ARMS + SECOND_DECISION.format(more=more), "after": HALFWAY, "allocation": allocation}


STUDIES: dict[str, dict[str, str]] = {
    "one_arm": {"arms": ONE_ARM},
    "three_arms": {
        "arms": ARMS + THIRD_ARM,
        "plan": plan(
            '[analysis.multiplicity]\nmethod = "graphical"\nweights = [0.5, 0.5]\ntransitions = [[0, 1], [1, 0]]'
        ),
    },
    "factors": {"arms": FACTORS},
    "factors_and_control": {"arms": CONTROLLED},
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
        "after": TASKS + PROBES,
        "plan": plan(TIME),
    },
    "roles": {
        "pre": 'role = "baseline"',
        "post": 'role = "main"',
        "late": 'role = "retention"\n[[stages]]\nid = "again"\nkind = "quiz"\nminutes = 5\nbank = "{bank}"\n'
        'session = "later"\nrole = "other"\n[[stages]]\nid = "talk"\nkind = "interview"\nsession = "later"\n'
        'plan = "talk.toml"',
    },
    "outcomes": {
        "post": SURVEY.format(id="after", kind="survey", question="passed", more=SCALE).replace(
            "[[stages]]", "[[stages]]", 1
        ),
        "plan": plan(OUTCOMES),
    },
    "populations": {
        "arms": ARMS.replace('id = "other"', 'id = "other"\nassistant = "full"') + HELP,
        "after": TASKS,
        "plan": plan(
            rows(
                'method = "rerandomization"\nlabel = "again"\nrole = "primary"',
                'method = "welch_t"\nrole = "secondary"\npopulation = "per_protocol"',
                'method = "welch_t"\nrole = "sensitivity"\npopulation = "as_treated"',
                'method = "wald_iv"\nrole = "exploratory"\npopulation = "complier"',
                'method = "welch_t"\nlabel = "everyone"\nrole = "sensitivity"\npopulation = "with_excluded"',
            )
        ),
    },
    "second_decision": decided_again("block_sizes = [2, 4]", 'method = "permuted_blocks"\nreplacement = "return_slot"'),
    "second_by_chance": decided_again('method = "simple"', 'method = "simple"'),
    "looks": looks("obrien_fleming"),
    "looks_pocock": looks("pocock", "futility = [0.3]\nbinding = true"),
    "looks_spending": looks("spending", 'spending = "pocock"'),
    "looks_kim_demets": looks("spending", 'spending = "kim_demets"'),
    "looks_hsd": looks("spending", 'spending = "hwang_shih_decani"\ngamma = -2'),
}


def made(folder: Path, name: str) -> Path:
    """The file of a study; that of one session has no retention quiz."""
    bank = keyed_bank(folder)
    with_content(folder)
    parts = {key: text.replace("{bank}", bank) for key, text in STUDIES[name].items()}
    text = study_text(**parts, bank=bank)
    if name == "simple":
        start, end = text.index('[[stages]]\nid = "retention"'), text.index('[[stages]]\nid = "debrief"')
        text = (text[:start] + text[end:]).replace('session = "later"', "")
        text = text.replace('[[sessions]]\nid = "later"\ndelay_days = 14', "")
    if "talk.toml" in text:
        (folder / "talk.toml").write_bytes((ROOT / "interviews" / "exit.toml").read_bytes())
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path
