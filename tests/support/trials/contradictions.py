"""Study files that say what no step of a trial could do, each with the key that is refused."""

from __future__ import annotations

from support.trials.design_studies import HELP, SECOND, TASKS, THIRD_ARM, decided_again
from support.trials.quiz_study import ARMS

HEAD = "replicates = 199\nsubgroups = []\n"
QUIZ = '[[analysis.outcomes]]\nid = "quiz_points"\nkind = "bounded"\nupper_column = "quiz_max"\n'
SURVEY = '[[stages]]\nid = "{id}"\nkind = "{kind}"\n{stage}\n'
QUESTION = '[[stages.questions]]\nid = "{id}"\nprompt = "?"\n{rest}\n'
SCALE = 'kind = "scale"\nlow = 0\nhigh = 7'
SLIDER = 'kind = "slider"\nlow = 0\nhigh = 100'
NUMBER = 'kind = "number"\nlow = 0\nhigh = 240\nunit = "min"'
CHOICE = 'kind = "choice"\noptions = [{ value = "dev", label = "a" }, { value = "sci", label = "b" }]'
SEVERAL = CHOICE.replace('"choice"', '"multiple"')
TEXT = 'kind = "text"'
LABELS = {"allocation": 'method = "cluster"\ncluster = "label"'}
HELPED = {"arms": ARMS.replace('id = "other"', 'id = "other"\nassistant = "full"') + HELP, "after": TASKS}


def asked(name: str, rest: str, stage: str = "", kind: str = "survey", number: str = "more") -> str:
    return SURVEY.format(id=number, kind=kind, stage=stage) + QUESTION.format(id=name, rest=rest)


def also(name: str, rest: str) -> str:
    return QUESTION.format(id=name, rest=rest)


def score(of: str, name: str = "right") -> str:
    return f'[[stages.scores]]\nid = "{name}"\nof = {of}\n'


def plan(more: str = "", covariates: str = "[]", outcomes: str = QUIZ, primary: str = '["quiz_points"]') -> str:
    return f"{HEAD}covariates = {covariates}\nprimary = {primary}\n{more}\n{outcomes}"


def outcome(name: str, kind: str, more: str = "", table: str = "outcomes") -> str:
    return f'[[analysis.{table}]]\nid = "{name}"\nkind = "{kind}"\n{more}\n'


def row(method: str, more: str = "", of: str = "quiz_points") -> str:
    return f'[[analysis.analyses]]\noutcome = "{of}"\nmethod = "{method}"\n{more}\n'


def recruited(more: str) -> dict[str, str]:
    return {"arms": f'{ARMS}[recruitment]\nentry = "links"\n{more}'}


def looks(more: str, kind: str = "pocock") -> str:
    return plan(f'[analysis.stopping]\nkind = "{kind}"\n{more}')


def expected(more: str) -> dict[str, str]:
    return {"arms": f"{ARMS}[rehearsal]\n{more}\n"}


def second(old: str, new: str) -> dict[str, str]:
    found = decided_again()
    return found | {"arms": found["arms"].replace(old, new)}


STRATA = 'method = "stratified_blocks"\nstrata = [{{ variable = "{name}"{more} }}]'


def strata(name: str, more: str = "") -> dict[str, str]:
    return {"allocation": STRATA.format(name=name, more=more)}


OF_STAGES: dict[str, tuple[dict[str, str], str]] = {
    "answers that let in, outside of the eligibility form": (
        {"before": asked("role", f'{CHOICE}\neligible = ["dev"]')},
        "stages.more.questions.role.eligible",
    ),
    "questions on a page of instructions": (
        {"after": SECOND + also("felt", SCALE)},
        "stages.between.questions",
    ),
    "a limit on the consent page": (
        {"instead": 'kind = "consent"=>kind = "consent"\nminutes = 3'},
        "stages.consent.minutes",
    ),
    "text above a quiz, which has none": ({"post": 'body = "Read this first."'}, "stages.posttest.body"),
    "an item bank for a survey": (
        {"before": asked("felt", SCALE, 'bank = "keyed"')},
        "stages.more.bank",
    ),
    "a duration beside a limit": ({"post": "about_minutes = 5"}, "stages.posttest.about_minutes"),
    "a form that the bank does not have": ({"post": 'form = "z"'}, "stages.posttest.form"),
    "a quiz that is not a main task": ({"post": "main = false"}, "stages.posttest.main"),
    "the end in the middle": (
        {"post": '[[stages]]\nid = "end"\nkind = "debrief"'},
        "stages.end.kind",
    ),
    "consent twice": ({"after": '[[stages]]\nid = "again"\nkind = "consent"'}, "stages.consent.kind"),
    "screening after allocation": (
        {"after": asked("fits", f'{CHOICE}\neligible = ["dev"]', kind="eligibility")},
        "stages.more",
    ),
    "a delay before the first session": (
        {"instead": 'id = "main"=>id = "main"\ndelay_days = 7'},
        "sessions.main.delay_days",
    ),
    "two sessions of one name": (
        {"instead": 'delay_days = 14=>delay_days = 14\n[[sessions]]\nid = "later"\ndelay_days = 30'},
        "sessions",
    ),
    "a session without stages": (
        {"instead": 'delay_days = 14=>delay_days = 14\n[[sessions]]\nid = "third"\ndelay_days = 30'},
        "sessions.third",
    ),
    "two packs of one name": (
        {"arms": ARMS + HELP, "after": TASKS.replace('packs = ["', 'packs = ["more/sorted_scores", "')},
        "stages.work.packs",
    ),
    "a promise that no page shows": (
        HELPED
        | {
            "arms": HELPED["arms"].replace('instructions = "Go."', 'pledge = "Never."').replace("Go on.", ""),
            "instead": '[[stages]]\nid = "instructions"\nkind = "instructions"=>',
        },
        "arms.plain.pledge",
    ),
    "exit questions before allocation": (
        {"before": asked("felt", SCALE, "exit = true")},
        "stages.more.exit",
    ),
    "an order of one task": (
        {"arms": ARMS + HELP, "after": f"{TASKS}shuffle = true\n"},
        "stages.work.shuffle",
    ),
    "an order of items, each on its page": ({"post": "shuffle = true"}, "stages.posttest.shuffle"),
    "an assistant that opens after the end": (
        HELPED | {"arms": HELPED["arms"].replace("assistants/full.toml", "late.toml")},
        "assistants.full",
    ),
}
OF_ANSWERS: dict[str, tuple[dict[str, str], str]] = {
    "several answers, one of which is right": (
        {"before": asked("known", f'{SEVERAL}\ncorrect = "dev"')},
        "stages.more.questions.known.correct",
    ),
    "a text that is right": (
        {"before": asked("known", f'{TEXT}\ncorrect = "Paris"')},
        "stages.more.questions.known.correct",
    ),
    "a right answer beyond the scale": (
        {"before": asked("known", f"{SCALE}\ncorrect = 9")},
        "stages.more.questions.known.correct",
    ),
    "options of a scale": (
        {"before": asked("known", f'{SCALE}\noptions = [{{ value = 1, label = "a" }}, {{ value = 2, label = "b" }}]')},
        "stages.more.questions.known.options",
    ),
    "a number without a range": (
        {"before": asked("years", 'kind = "number"\nlow = 3\nhigh = 3')},
        "stages.more.questions.years.high",
    ),
    "a question to leave out that screens": (
        {"before": asked("fits", f'{CHOICE}\neligible = ["dev"]\nrequired = false', kind="eligibility")},
        "stages.more.questions.fits.required",
    ),
    "two options that read alike": (
        {"before": asked("role", CHOICE.replace('label = "b"', 'label = "a"'))},
        "stages.more.questions.role.options",
    ),
    "other AI as a text": ({"post": asked("ai", f"{TEXT}\nother_ai = true")}, "stages.more.questions.ai.other_ai"),
    "other AI without a no": (
        {"post": asked("ai", f"{CHOICE}\nother_ai = true")},
        "stages.more.questions.ai.other_ai",
    ),
    "other AI before allocation": (
        {"before": asked("ai", f"{SCALE}\nother_ai = true")},
        "stages.more.questions.ai.other_ai",
    ),
    "other AI asked of one arm": (
        {"post": asked("ai", f'{SCALE}\nother_ai = true\narms = ["other"]')},
        "stages.more.questions.ai.other_ai",
    ),
    "a question for an arm on a stage for the other": (
        {"post": asked("felt", f'{SCALE}\narms = ["plain"]', 'arms = ["other"]')},
        "stages.more.questions.felt.arms",
    ),
    "a score of nothing": ({"before": asked("a", SCALE) + score("[]")}, "stages.more.scores.right.of"),
    "a score that counts one question twice": (
        {"before": asked("a", f"{SCALE}\ncorrect = 1") + score('["a", "a"]')},
        "stages.more.scores.right.of",
    ),
    "a score over questions of different people": (
        {
            "before": asked("first", SCALE, number="earlier")
            + asked("a", f"{SCALE}\ncorrect = 1")
            + also("b", f'{SCALE}\ncorrect = 1\nwhen = "first >= 3"')
            + score('["a", "b"]')
        },
        "stages.more.scores.right.of",
    ),
    "a score in the place of the arm": (
        {"before": asked("a", f"{SCALE}\ncorrect = 1") + score('["a"]', "arm")},
        "stages.more.scores.arm.id",
    ),
    "a question in the place of a row": (
        {
            "before": asked("felt", CHOICE.replace('"choice"', '"matrix"') + '\nrows = [{ id = "now", label = "Now" }]')
            + also("felt_now", SCALE)
        },
        "stages.more.questions.felt_now.id",
    ),
    "a quiz in the place of a kind of items": (
        {"instead": 'id = "retention"=>id = "quiz_conceptual"'},
        "stages",
    ),
    "a condition that everyone meets": (
        {"before": asked("years", SCALE) + asked("why", SCALE, 'when = "years >= 0"', number="then")},
        "stages.then.when",
    ),
    "a condition that no one meets": (
        {"before": asked("years", SCALE) + asked("why", SCALE, 'when = "years > 7"', number="then")},
        "stages.then.when",
    ),
    "a condition on two roles at once": (
        {
            "before": asked("role", CHOICE)
            + asked("why", SCALE, "when = \"role == 'dev' and role == 'sci'\"", number="then")
        },
        "stages.then.when",
    ),
    "a condition after a screening that decides it": (
        {
            "before": asked("fits", f'{CHOICE}\neligible = ["dev"]', kind="eligibility")
            + asked("why", f"{SCALE}\nwhen = \"fits == 'sci'\"", number="then")
        },
        "stages.then.questions.why.when",
    ),
}
OF_ALLOCATION: dict[str, tuple[dict[str, str], str]] = {
    "minimisation that prefers imbalance": (
        {
            "allocation": 'method = "minimisation"\nprobability = 0.3\n'
            'factors = [{ variable = "pretest_points", cuts = [5] }]'
        },
        "allocation.probability",
    ),
    "a coin that is not biased": (
        {"allocation": 'method = "biased_coin"\nprobability = 0.5'},
        "allocation.probability",
    ),
    "strata by a text": (strata("role") | {"before": asked("role", TEXT)}, "allocation.strata.role"),
    "strata by several answers": (strata("role") | {"before": asked("role", SEVERAL)}, "allocation.strata.role"),
    "words that are cut": (
        strata("role", ", cuts = [1]") | {"before": asked("role", CHOICE)},
        "allocation.strata.role.cuts",
    ),
    "a stratum for each value of a slider": (
        strata("years") | {"before": asked("years", SLIDER)},
        "allocation.strata.years.cuts",
    ),
    "strata with weights": (
        strata("role", ", weight = 2") | {"before": asked("role", CHOICE)},
        "allocation.strata.role.weight",
    ),
    "clusters of people with the same points": (
        {"allocation": 'method = "cluster"\ncluster = "pretest_points"'},
        "allocation.cluster",
    ),
    "clusters within themselves": (
        {
            "allocation": 'method = "cluster"\ncluster = "label"\nbase_method = "stratified_blocks"\n'
            'strata = ["label"]'
        },
        "allocation.strata.label",
    ),
    "a response before any treatment": (
        second("halfway_score >= 0.65", "pretest_score >= 0.65"),
        "second_decision.responds",
    ),
    "second instructions that no page shows": (
        HELPED
        | {
            "arms": HELPED["arms"]
            + decided_again()["arms"].replace(ARMS, "").replace('"second"', '"further"'),
            "after": decided_again()["after"].split('[[stages]]\nid = "second"')[0]
            + TASKS.replace('"work"', '"further"'),
        },
        "second_decision.treatments.more.instructions",
    ),
    "a primary outcome before the second decision": (
        decided_again() | {"plan": plan(outcomes=QUIZ + outcome("halfway_points", "continuous"),
                                        primary='["halfway_points"]')},
        "analysis.primary",
    ),
}  # fmt: skip
OF_RECRUITMENT: dict[str, tuple[dict[str, str], str]] = {
    "quotas that leave too few places": (
        recruited(
            '[[recruitment.quotas]]\nquestion = "role"\nanswer = "dev"\nshare = 0.3\n'
            '[[recruitment.quotas]]\nquestion = "role"\nanswer = "sci"\nshare = 0.3\n'
        )
        | {"before": asked("role", CHOICE)},
        "recruitment.quotas",
    ),
    "a quota of everyone": (
        recruited('[[recruitment.quotas]]\nquestion = "role"\nanswer = "dev"\nmost = 500\n')
        | {"before": asked("role", CHOICE)},
        "recruitment.quotas.1.most",
    ),
    "pay for tasks that there are not": (
        recruited('[[recruitment.bonus]]\nper = "tasks_passed"\namount = 1\n'),
        "recruitment.bonus.1.per",
    ),
    "pay of at most less than one": (
        recruited('[[recruitment.bonus]]\nper = "quiz_points"\namount = 2\nmost = 1\n'),
        "recruitment.bonus.1.most",
    ),
    "one code for those who stay and those who leave": (
        recruited('[recruitment.codes]\ndeclined = "COMPLETED"\n'),
        "recruitment.codes.completed",
    ),
    "expected minutes without tasks": (expected("minutes = { mean = 0.5, sd = 0.2 }"), "rehearsal.minutes"),
    "an expected correlation of clusters without clusters": (expected("icc = 0.4"), "rehearsal.icc"),
    "an expected effect on minutes without tasks": (
        expected('[[rehearsal.scenarios]]\nid = "fast"\neffect_minutes = -5'),
        "rehearsal.scenarios.fast.effect_minutes",
    ),
    "expected feelings without probes": (expected("affect = { skips = 0.3 }"), "rehearsal.affect"),
}
OF_PLANS: dict[str, tuple[dict[str, str], str]] = {
    "a secondary outcome of the name of another": (
        {"plan": plan(outcomes=QUIZ + outcome("quiz_points", "continuous", table="secondary"))},
        "analysis.secondary.quiz_points",
    ),
    "a primary outcome that one of three arms is never asked": (
        {
            "arms": ARMS + THIRD_ARM,
            "post": asked("felt", SCALE, 'arms = ["plain", "other"]'),
            "plan": plan(outcomes=QUIZ + outcome("felt", "ordinal"), primary='["felt"]'),
        },
        "analysis.outcomes.felt.column",
    ),
    "too few draws for any rejection": (
        {"plan": plan().replace("replicates = 199", "replicates = 99\nlevel = 0.999")},
        "analysis.replicates",
    ),
    "a correlation of an outcome with itself": (
        {"plan": plan(outcomes=QUIZ + row("pearson", 'options = { x = "quiz_points" }'))},
        "analysis.analyses.quiz_points.pearson.options.x",
    ),
    "a covariate that is an outcome": (
        {"plan": plan(covariates='[{ column = "pretest_points" }]',
                      outcomes=QUIZ + outcome("pretest_points", "continuous"))},
        "analysis.covariates.pretest_points",
    ),
    "groups by a stratum that there is not": (
        {"plan": plan().replace("subgroups = []", 'subgroups = [{ column = "stratum" }]')},
        ".subgroups.stratum",
    ),
    "groups by the only language": (
        {"plan": plan(outcomes=QUIZ + row("interaction", 'options = { moderator = "language" }'))},
        "analysis.analyses.quiz_points.interaction.options.moderator",
    ),
    "counted variants without variants": ({"plan": plan("variant_time = true")}, "analysis.variant_time"),
    "non-inferiority of times, of which more would be better": (
        {
            "arms": ARMS + HELP,
            "after": TASKS,
            "plan": plan(
                outcomes=QUIZ
                + outcome("completion_minutes", "time", 'event = "completion_event"')
                + row("noninferiority", "options = { margin = 2.0 }", of="completion_minutes")
            ),
        },
        "analysis.analyses.completion_minutes.noninferiority.options.better",
    ),
    "the worst case of another scale": (
        {"plan": plan(outcomes=QUIZ + row("worst_case", "options = { outcome_min = 0.0, outcome_max = 5.0 }"))},
        "analysis.analyses.quiz_points.worst_case.options.outcome_max",
    ),
    "more minutes away from the quiz than it has": (
        {
            "arms": ARMS + HELP,
            "after": TASKS,
            "plan": plan("[analysis.compliance]\nquiz_away_minutes = 500"),
        },
        "analysis.compliance.quiz_away_minutes",
    ),
    "a cap that cuts answers": (
        {"post": asked("spent", NUMBER), "plan": plan(outcomes=QUIZ + outcome("spent", "time", "cap = 30"))},
        "analysis.outcomes.spent.cap",
    ),
    "a cap below every answer": (
        {
            "post": asked("spent", NUMBER.replace("low = 0", "low = 60")),
            "plan": plan(outcomes=QUIZ + outcome("spent", "time", "cap = 30")),
        },
        "analysis.outcomes.spent.cap",
    ),
    "futility where the trial stops for a difference": (
        {"plan": looks("looks = [0.5, 1.0]\nfutility = [2.5]")},
        "analysis.stopping.futility",
    ),
    "a look at one person": (
        {"plan": looks("looks = [0.02, 1.0]")},
        "analysis.stopping.looks",
    ),
    "two looks at the same people": (
        {"plan": looks("looks = [0.49, 0.5, 1.0]")},
        "analysis.stopping.looks",
    ),
    "what was received where no arm is offered anything": (
        {"arms": ARMS + HELP, "after": TASKS,
         "plan": plan(outcomes=QUIZ + row("wald_iv", 'population = "complier"'))},
        "analysis.analyses.quiz_points.wald_iv.method",
    ),
    "as treated where each arm is offered an assistant": (
        {
            "arms": HELPED["arms"].replace('id = "plain"', 'id = "plain"\nassistant = "full"'),
            "after": TASKS,
            "plan": plan(outcomes=QUIZ + row("welch_t", 'population = "as_treated"')),
        },
        "analysis.analyses.quiz_points.welch_t.as_treated.population",
    ),
}  # fmt: skip
CONTRADICTIONS = OF_STAGES | OF_ANSWERS | OF_ALLOCATION | OF_RECRUITMENT | OF_PLANS
OF_SIZES: dict[str, tuple[dict[str, str], str]] = {
    "a block larger than the trial": (
        recruited("target_n = 40\n") | {"allocation": 'method = "permuted_blocks"\nblock_sizes = [80]'},
        "allocation.block_sizes",
    ),
    "a stick longer than the trial": (
        recruited("target_n = 40\n") | {"allocation": 'method = "big_stick"\nbound = 60'},
        "allocation.bound",
    ),
    "fewer people than arms": (
        {"arms": f'{ARMS}{THIRD_ARM}[recruitment]\nentry = "links"\ntarget_n = 2\n'},
        "recruitment.target_n",
    ),
}
"""What `check` warns of: a trial may be small for trying things out."""
IN_EACH_RUN = (
    "answers that let in, outside of the eligibility form",
    "the end in the middle",
    "several answers, one of which is right",
    "a score in the place of the arm",
    "a condition that no one meets",
    "minimisation that prefers imbalance",
    "a response before any treatment",
    "quotas that leave too few places",
    "an expected effect on minutes without tasks",
    "a secondary outcome of the name of another",
    "futility where the trial stops for a difference",
    "what was received where no arm is offered anything",
)
"""One of each rule; the others are slow tests."""
