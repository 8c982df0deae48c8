"""The study file of a new study."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from study_app.content.scaffold.new_study import SCHEMA_LINE, NewStudy, toml_string

_HEAD = """{schema}\
# A new study. Change it step by step: study check says what is wrong, study serve --author shows it at once.
# Every key is explained in docs/reference/study_file.md.
schema = "study/1"
id = "{id}"
title = {title}
language = "{language}"
# Whom participants write to, who carries the study out, and its ethics approval: the consent page shows these.
contact = {contact}
researchers = {researchers}
ethics = {ethics}
{requirements}
[recruitment]
entry = "open"          # for trying out; a launched study needs "links" (study create-links) or "prolific"
target_n = {target}

[consent]
pay = {pay}
risks = {risks}

# -- arms: exactly one is the control

"""
_ALLOCATION = {
    "parallel": """[allocation]
method = "permuted_blocks"
block_sizes = [{arms}, {twice}]    # drawn at random, each a multiple of the number of arms

""",
    "crossover": """# Everybody works in every arm, one after the other; what is drawn is the order.
[allocation]
method = "sequence"
orders = "all"

""",
    "cluster": """\
# Whole classes are drawn: all people with the same label, which their link gives (study create-links --labels).
[allocation]
method = "cluster"
cluster = "label"
base_method = "permuted_blocks"

""",
}
_ALLOCATION["waves"] = _ALLOCATION["parallel"]
_SESSIONS = """\
# Two sessions: the second opens two weeks after the first and can be begun for a week (docs/how-to/sessions.md).
# Each has its completion code; on Prolific the second also has its study (studies = ["..."]).
[[sessions]]
id = "main"
code = "PART-ONE"

[[sessions]]
id = "later"
delay_days = 14
window_days = 7
remind_days = [0, 3]     # days after its opening at which study remind writes
code = "PART-TWO"

"""
_RETENTION = """[[stages]]
id = "retention"
kind = "quiz"
title = {quiz_later}
intro = {intro_later}
session = "later"
minutes = 10
bank = "quizzes/{lesson}"

"""
_LATE_OUTCOME = """
# The delayed outcome: people who do not come back are missing, so the report gives Lee bounds and worst cases with it.
[[analysis.outcomes]]
id = "quiz_points"
label = "Quiz score"
kind = "bounded"
unit = "points"
upper_column = "quiz_max"

[[analysis.outcomes]]
id = "retention_points"
label = "Quiz score, two weeks later"
kind = "bounded"
unit = "points"
upper_column = "retention_max"
"""
_FIRST_STAGES = """[assistant_policy]
allow_embedded = true    # false: a launched study needs Claude (ANTHROPIC_API_KEY) and does without the packs' notes

# -- what participants go through, in this order

[[stages]]
id = "consent"
kind = "consent"
body = {consent}

[[stages]]
id = "background"
kind = "survey"
title = {background}

[[stages.questions]]
id = "years_python"
kind = "choice"
prompt = {years}
options = [
    {{ value = 1, label = {years_1} }},
    {{ value = 2, label = {years_2} }},
    {{ value = 3, label = {years_3} }},
]
caption = "Years of Python (ordered: 1 under one, 2 one to three, 3 four or more)"

# Allocation happens on the way into the first stage that differs by arm: here.
[[stages]]
id = "instructions"
kind = "instructions"
title = {instructions_title}

"""
_PERIOD = """[[stages]]
id = "tasks{n}"
kind = "tasks"
title = {tasks}
minutes = 20
packs = ["tasks/{lesson}"]
assistant = true

[[stages]]
id = "quiz{n}"
kind = "quiz"
title = {quiz}
minutes = 10
bank = "quizzes/{lesson}"

"""
_LAST_STAGES = """[[stages]]
id = "exit"
kind = "survey"
title = {exit}
exit = true

[[stages.questions]]
id = "difficulty"
kind = "scale"
prompt = {difficulty}
low = 1
high = 7
low_label = {easy}
high_label = {hard}

[[stages.questions]]
id = "other_ai"
kind = "choice"
prompt = {other_ai}
options = [{{ value = "no", label = {no} }}, {{ value = "yes", label = {yes} }}]
other_ai = true

"""
_END = """[[stages]]
id = "debrief"
kind = "debrief"
title = {debrief_title}
body = {debrief}
"""
_PLAN = """
# -- the analysis, frozen at launch: see docs/reference/analysis.md

[analysis]
primary = {primary}
"""
_COVARIATES = """\
# Known before allocation. Add warmup_minutes with a warm-up, and what else the background asks that predicts the quiz.
covariates = [{ column = "years_python", label = "Years of Python" }]
subgroups = [{ column = "years_python", label = "Years of Python" }]
"""
"""Not in a crossover, where people are compared with themselves."""


def study_text(new: NewStudy) -> str:
    """Return the study file."""
    quoted = {key: toml_string(text) for key, text in new.phrases.items() if isinstance(text, str)}
    quoted |= {f"years_{n}": toml_string(label) for n, label in enumerate(new.phrases["years_options"], start=1)}
    quoted["consent"] = toml_string(_consent(new))
    named = 'requirements = "requirements.txt"    # installed by study setup; part of the study\'s hash\n'
    given = {
        "schema": SCHEMA_LINE.format(up="", kind="study"),
        "id": re.sub(r"[^A-Za-z0-9]", "", new.name),
        "language": new.language,
        "requirements": f"# What participants' programs import beyond Python.\n{named}" if new.version else "",
        "target": 20 * new.arms,
        "arms": new.arms,
        "twice": 2 * new.arms,
    }
    sessions = [_SESSIONS] if new.design == "waves" else []
    parts = [_HEAD, *_arms(new, quoted), _ALLOCATION[new.design], *sessions, *_assistants(new), _FIRST_STAGES]
    numbered = [(_number(new, place), lesson.id) for place, lesson in enumerate(new.lessons, start=1)]
    text = "".join(parts[:1]).format(**given, **quoted)
    text += "".join(parts[1:-2]).replace("{arms}", str(new.arms)).replace("{twice}", str(2 * new.arms))
    text += "".join(parts[-2:]).format(**quoted)
    text += "".join(_PERIOD.format(n=n, lesson=lesson, **quoted) for n, lesson in numbered)
    return text + _LAST_STAGES.format(**quoted) + _ending(new, quoted)


def _consent(new: NewStudy) -> str:
    """Return what people agree to: how many tasks, what is drawn, and the later session."""
    if new.design == "crossover":
        return str(new.phrases["consent_crossover"])
    later = f"\n\n{new.phrases['consent_waves']}" if new.design == "waves" else ""
    return f"{new.phrases['consent']}{later}"


def _ending(new: NewStudy, quoted: Mapping[str, str]) -> str:
    """Return the last stages and the plan; of a study in waves with the later session."""
    covariates = "" if new.design == "crossover" else _COVARIATES
    if new.design != "waves":
        return _END.format(**quoted) + _PLAN.format(primary='["quiz_points"]') + covariates
    late = _RETENTION.format(lesson=new.lessons[0].id, **quoted)
    end = _END.format(**quoted) + 'session = "later"\n'
    return late + end + _PLAN.format(primary='["quiz_points", "retention_points"]') + covariates + _LATE_OUTCOME


def _number(new: NewStudy, place: int) -> str:
    return f"_{place}" if len(new.lessons) > 1 else ""


def _arms(new: NewStudy, quoted: Mapping[str, str]) -> Iterator[str]:
    lead = new.phrases["instructions"]
    without, with_ = (
        toml_string(f"{lead}\n\n{new.phrases['without']}\n"),
        toml_string(f"{lead}\n\n{new.phrases['with']}\n"),
    )
    yield (
        f'[[arms]]\nid = "no_ai"\nlabel = {quoted["no_assistant"]}\ncontrol = true\ninstructions = {without}\n'
        f"pledge = {quoted['pledge_without']}\n\n"
    )
    for arm in new.helped:
        yield (
            f'[[arms]]\nid = "{arm}"\nlabel = {quoted[arm]}\nassistant = "{arm}"\ninstructions = {with_}\n'
            f"pledge = {quoted['pledge_with']}\n\n"
        )


def _assistants(new: NewStudy) -> Iterator[str]:
    yield "".join(f'[assistants.{arm}]\nfile = "assistants/{arm}.toml"\n\n' for arm in new.helped)
