"""The task packs and item banks of a new study."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from study_app.content.scaffold.lessons import Lesson
from study_app.content.scaffold.new_study import SCHEMA_LINE, NewStudy, toml_string

_TASK = """{schema}id = "{id}"               # the folder's name
title = {title}
packages = {packages}    # what programs may import beyond the standard library
concepts = ["first_steps"]    # in the words of the item bank

[limits]
wall_seconds = 30.0
cpu_seconds = 5
"""
_CHECKS = '''"""Visible examples and hidden checks; docs/how-to/task_packs.md explains them."""

from study_app.domain.checks import Check, Same, call

# Only the returned value counts here, not what is printed or how long it takes.
VALUE = Same(lines=False, duration=False)
EXAMPLE = {named}

CHECKS = [
    Check(EXAMPLE, call("{function}", {example}), visible=True, compare=VALUE),
    # Drawn anew for each grading, so no one can know it; wrong/mistake.py shows what it finds.
    Check("any other", lambda rng: call("{function}", {draw}), compare=VALUE, varies=EXAMPLE, wrong="mistake"),
]
'''


def _program(lesson: Lesson, body: str) -> str:
    call = f"{lesson.function}({lesson.example})"
    main = f'if __name__ == "__main__":\n    print({call})\n'
    return f"{lesson.imports}\n\n\ndef {lesson.signature}:\n    {body}\n\n\n{main}"


def pack_texts(new: NewStudy, lesson: Lesson) -> Iterator[tuple[str, str]]:
    """Name -> text of the files of a task pack."""
    phrases = new.phrases
    packages = json.dumps([new.imported])
    schema = SCHEMA_LINE.format(up="../../", kind="pack")
    yield "task.toml", _TASK.format(schema=schema, id=lesson.id, title=toml_string(phrases["tasks"]), packages=packages)
    result = f"   # {lesson.result}" if lesson.result else ""
    syntax = _commented(new, lesson.syntax)
    brief = phrases["brief"].replace("{signature}", lesson.signature)
    yield (
        "brief.md",
        f"# {phrases['instructions_title']}\n\n{brief}\n\n"
        f"```python\n{lesson.function}({lesson.example}){result}\n```\n\n"
        f"## {phrases['syntax']}\n\n```python\n{syntax}\n```\n",
    )
    yield "reference.md", f"# {phrases['glance']}\n\n```python\n{syntax}\n```\n"
    yield "starter.py", _program(lesson, "...")
    yield "solution.py", _program(lesson, lesson.solution)
    yield "wrong/mistake.py", _program(lesson, lesson.wrong)
    named = json.dumps(phrases["example"], ensure_ascii=False)
    given = {"function": lesson.function, "example": lesson.example, "draw": lesson.draw}
    yield "checks.py", _CHECKS.format(named=named, **given)
    notes = f"## {new.library}\nAlso: {new.imported}, import, {lesson.function}\n\n"
    last = _commented(new, lesson.syntax[-1:])
    texts = {
        "concepts": f"{phrases['glance']}:\n\n```python\n{syntax}\n```\n",
        "hints": f"`{last}`\n",
        "questions": f"{phrases['prints']} `{last}`\n",
    }
    yield from ((f"notes/{kind}.md", f"# {kind.capitalize()}\n\n{notes}{text}") for kind, text in texts.items())


def _commented(new: NewStudy, lines: Sequence[str]) -> str:
    """Return lines of a program with their comments in the study's language."""
    text = "\n".join(lines)
    for name in ("every_name", "down_columns"):
        text = text.replace(f"{{{name}}}", new.phrases[name])
    return text


_BANK = """{schema}id = "{id}"
title = {title}
version = "1"
language = "{language}"
points = 4               # of every form
packages = {packages}
tasks = ["{id}"]

[concepts]
first_steps = {library}

[[forms]]
id = "a"
title = "Form A"
pages = [["prints"], ["writes"]]    # there is no way back between pages
"""


def bank_texts(new: NewStudy, lesson: Lesson) -> Iterator[tuple[str, str]]:
    """Name -> text of the files of the item bank on a task."""
    library = new.imported
    head = _BANK.format(
        schema=SCHEMA_LINE.format(up="../../", kind="bank"),
        id=lesson.id,
        title=toml_string(f"{new.phrases['quiz']}: {new.library}"),
        language=new.language,
        packages=json.dumps([library]),
        library=json.dumps(new.library),
    )
    yield "bank.toml", head
    key_schema = SCHEMA_LINE.format(up="../../../", kind="key")
    item_schema = SCHEMA_LINE.format(up="../../../", kind="item")
    common = f'concept = "first_steps"\ntask = "{lesson.id}"\n'
    writes = new.phrases["writes"].replace("{signature}", lesson.signature)
    yield (
        "items/prints.toml",
        f'{item_schema}id = "prints"\ntype = "code_reading"\nkind = "short_text"\n{common}points = 2\n'
        f"prompt = {toml_string(new.phrases['prints'])}\ncode = '''\n{lesson.reading}\n'''\n",
    )
    yield (
        "keys/prints.toml",
        f"{key_schema}# Proven by a real run: study check compares what the program prints.\nrun = '{{code}}'\n\n"
        f"[[accept]]\nnumber = {lesson.prints}\n",
    )
    yield (
        "items/writes.toml",
        f'{item_schema}id = "writes"\ntype = "code_writing"\nkind = "code"\n{common}points = 2\nrows = 6\n'
        f"prompt = {toml_string(writes)}\nstarter = '''\n{lesson.imports}\n\n\ndef {lesson.signature}:\n    ...\n'''\n",
    )
    answer = f"{lesson.imports}\n\n\ndef {lesson.signature}:\n    {{}}\n"
    call = f"{lesson.function}({lesson.example})"
    yield (
        "keys/writes.toml",
        f"{key_schema}solution = '''\n{answer.format(lesson.solution)}'''\n"
        f"wrong = ['''\n{answer.format(lesson.wrong)}''']\n\n"
        f'[[checks]]\nname = "the example"\npoints = 2\n'
        f"program = '''\n{{answer}}\n{_judged(lesson, call)}'''\nexpected = \"True\"\n",
    )


def _judged(lesson: Lesson, call: str) -> str:
    """Return a program that compares an answer with the solution's result where it depends on the library."""
    if lesson.result:
        return f"print({call} == {lesson.result})\n"
    right = lesson.solution
    parameters = lesson.signature.partition("(")[2]
    return f"\ndef right({parameters}:\n    {right}\n\n\nprint({call} == right({lesson.example}))\n"
