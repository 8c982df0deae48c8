"""A short study of forms: a survey with every kind of question, a quiz of two pages, a last survey."""

from __future__ import annotations

import json
from pathlib import Path

STUDY = """
schema = "study/1"
id = "forms"
title = "Forms"
[[arms]]
id = "only"
control = true
[allocation]
method = "permuted_blocks"
block_sizes = [1]
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "about"
kind = "survey"
title = "About you"
{about_limit}
{questions}
[[stages]]
id = "quiz"
kind = "quiz"
title = "Quiz"
minutes = {quiz_minutes}
bank = "bank"
[[stages]]
id = "last"
kind = "survey"
title = "At last"
exit = true
[[stages.questions]]
id = "liked"
kind = "text"
prompt = "How was it?"
required = false
[[stages]]
id = "debrief"
kind = "debrief"
"""
QUESTIONS = (
    'id = "part_one"\nkind = "heading"\nprompt = "Your work"',
    'id = "lead"\nkind = "text_block"\nprompt = "Some questions on **your work**."',
    'id = "role"\nkind = "choice"\nprompt = "What is your role?"\nREQUIRED\n'
    'options = [{ value = "dev", label = "Developer" }, { value = "sci", label = "Scientist" }]',
    'id = "tools"\nkind = "multiple"\nprompt = "Which tools do you use?"\nREQUIRED\noptions = ['
    '{ value = "vim", label = "Vim" }, { value = "code", label = "Code" }, { value = "idle", label = "IDLE" }]',
    'id = "ease"\nkind = "scale"\nprompt = "How easy is it?"\nREQUIRED\nlow = 1\nhigh = 7\n'
    'low_label = "very hard"\nhigh_label = "very easy"',
    'id = "years"\nkind = "number"\nprompt = "How many years?"\nREQUIRED\nlow = 0\nhigh = 60\nwhole = true\n'
    'unit = "years"',
    'id = "hours"\nkind = "number"\nprompt = "How many hours a day?"\nrequired = false\nlow = 0\nhigh = 24',
    'id = "words"\nkind = "text"\nprompt = "In your own words?"\nREQUIRED',
    'id = "extra"\nkind = "choice"\nprompt = "Anything else?"\nrequired = false\n'
    'options = [{ value = "yes", label = "Yes" }, { value = "no", label = "No" }]',
    'id = "remark"\nkind = "text"\nprompt = "A remark?"\nrequired = false',
)
BANK = """
id = "bank"
title = "Bank"
version = "1"
points = 7
[concepts]
basics = "basics"
[[forms]]
id = "a"
"""
PAGES = [["pick", "say", "fix"], ["ticks", "explain"]]
ITEMS = {
    "pick": (
        'type = "conceptual"\nkind = "single_choice"\npoints = 1\nprompt = "Which call starts it?"\n'
        'options = [{ id = "a", text = """```python\nrun(main)\n```""" }, { id = "b", text = "`main()`" }]',
        'correct = ["a"]',
    ),
    "say": (
        'type = "code_reading"\nkind = "short_text"\npoints = 1\nprompt = "What is printed?"\ncode = "print(1 + 1)"',
        'run = "{code}"\naccept = [{ text = "2" }]',
    ),
    "fix": (
        'type = "debugging"\nkind = "code"\npoints = 2\nrows = 6\nprompt = "Correct the loop."\n'
        'code = "total = 0"\nstarter = """for n in range(3):\nprint(n)\n"""',
        'rubric = [{ id = "right", text = "It runs.", points = 2 }]',
    ),
    "ticks": (
        'type = "conceptual"\nkind = "multiple_select"\npoints = 1\nprompt = "Which are numbers?"\n'
        'options = [{ id = "one", text = "`1`" }, { id = "two", text = "`2`" }, { id = "x", text = "`x`" }]',
        'correct = ["one", "two"]',
    ),
    "explain": (
        'type = "code_writing"\nkind = "code"\npoints = 2\nrows = 5\nprompt = "Write `f`."',
        'rubric = [{ id = "right", text = "It is right.", points = 2 }]',
    ),
}


def write_form_study(
    folder: Path,
    *,
    quiz_minutes: float = 20,
    about_minutes: float | None = None,
    required: bool = False,
    pages: list[list[str]] | None = None,
) -> Path:
    """The study file with its item bank next to it."""
    bank = folder / "bank"
    (bank / "items").mkdir(parents=True)
    (bank / "keys").mkdir()
    of_form = PAGES if pages is None else pages
    (bank / "bank.toml").write_text(f"{BANK}pages = {json.dumps(of_form)}\n")
    for name, (item, key) in ITEMS.items():
        (bank / "items" / f"{name}.toml").write_text(f'id = "{name}"\nconcept = "basics"\n{item}\n')
        (bank / "keys" / f"{name}.toml").write_text(f"{key}\n")
    limit = "" if about_minutes is None else f"minutes = {about_minutes}"
    study = folder / "study.toml"
    asked = "".join(f"[[stages.questions]]\n{question}\n" for question in QUESTIONS)
    asked = asked.replace("REQUIRED", f"required = {str(required).lower()}")
    study.write_text(STUDY.format(quiz_minutes=quiz_minutes, about_limit=limit, questions=asked))
    return study
