"""Writes the pages of docs/reference/ that follow from the code."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from study_app.bootstrap import open_library
from study_app.cli import app
from study_app.content import schemas
from study_app.dataset.writing.shipped import shipped
from study_app.domain.allocation import Factor, Scheme
from study_app.domain.allocation.arms import Arm
from study_app.domain.events.reference import event_tables
from study_app.domain.study import release
from study_app.domain.study import study as protocol
from study_app.domain.study.designs import RECEIVED, TABLE, VERBS
from study_app.domain.study.operating import alerts
from study_app.domain.study.rehearsal import section as expectations
from study_app.domain.study.sequential import sections as second
from study_app.services.researcher.exporting.export import codebook_page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "reference"
SCHEMAS = DOCS.parents[1] / "examples" / "schemas"


def commands() -> str:
    """docs/reference/commands.md: every verb with its arguments, options and environment twins."""
    parts = ["# Commands", "Generated from the code by `scripts/generate_docs.py`; a test keeps it current.", EXITS]
    for name, verb in sorted(verbs(typer.main.get_command(app))):
        parts.append(f"## study {name}")
        parts.append((verb.help or "").strip())
        rows = [_row(parameter) for parameter in verb.params if parameter.name != "help"]
        parts.append("\n".join(["| | meaning | default | environment |", "| --- | --- | --- | --- |", *rows]))
    return "\n\n".join(parts) + "\n"


def verbs(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every verb with its whole name, such as `code interviews freeze`."""
    for name, verb in group.commands.items():
        if hasattr(verb, "commands"):
            yield from verbs(verb, f"{before}{name} ")
        else:
            yield before + name, verb


EXITS = """Exit codes: 0 done; 1 findings of `check` and `verify`, or a failure while running; 2 bad arguments or
unusable input. Each mistake is one line on standard error, `error: FILE: KEY: what is wrong; what to do`, all of them
at once."""


def _row(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in parameter.opts) if parameter.param_type_name == "option" else ""
    shown = names or f"`{parameter.metavar or parameter.name.upper()}`"
    default = parameter.default
    text = "" if default is None or callable(default) or default is False else f"`{default}`"
    variable = parameter.envvar if isinstance(parameter.envvar, str) else ""
    return f"| {shown} | {getattr(parameter, 'help', '') or ''} | {text} | {f'`{variable}`' if variable else ''} |"


TABLES: list[tuple[str, type[BaseModel]]] = [
    ("(top level)", protocol.Study),
    ("[[arms]]", protocol.StudyArm),
    ("[allocation]", Scheme),
    ("a variable of [allocation] strata or factors", Factor),
    ("[second_decision]", second.SecondDecision),
    ("[[second_decision.treatments]]", second.SecondTreatment),
    ("[recruitment]", protocol.Recruitment),
    ("[recruitment] codes", protocol.CompletionCodes),
    ("[data]", protocol.DataPolicy),
    ("[dataset]", release.Release),
    ("[[dataset.authors]]", release.DatasetAuthor),
    ("[[dataset.funders]]", release.Funder),
    ("[[dataset.related]]", release.RelatedWork),
    ("[alerts]", alerts.Alerts),
    ("[rehearsal]", expectations.Rehearsal),
    ("[rehearsal] quiz, minutes, baseline_quiz, later_quiz", expectations.ExpectedMeasure),
    ("[rehearsal.answers.QUESTION]", expectations.ExpectedAnswer),
    ("[[rehearsal.scenarios]]", expectations.Scenario),
    ("[assistants.NAME]", protocol.AssistantEntry),
    ("[assistant_policy]", protocol.AssistantPolicy),
    ("[sandbox]", protocol.SandboxPolicy),
    ("[activity]", protocol.ActivityRule),
    ("[[sessions]]", protocol.StudySession),
    ("[[stages]]", protocol.Stage),
    ("[[stages.questions]]", protocol.Question),
    ("[[stages.questions]] options", protocol.AnswerOption),
    ("[[stages.scores]]", protocol.DerivedScore),
]


def study_file() -> str:
    """docs/reference/study_file.md: every table and key of a study file."""
    parts = ["# The study file", STUDY_FILE]
    for name, model in TABLES:
        parts.append(f"## `{name}`")
        if model.__doc__:
            parts.append(inspect.cleandoc(model.__doc__))
        docs = _field_docs(model)
        rows = [_key(model, key, field, docs) for key, field in model.model_fields.items()]
        parts.append("\n".join(["| key | type | default | meaning |", "| --- | --- | --- | --- |", *rows]))
    return "\n\n".join(parts) + "\n"


STUDY_FILE = """Generated from the code by `scripts/generate_docs.py`; a test keeps it current. A study file is TOML;
paths in it are relative to it, with forward slashes and none at the end, spelled as on the disk.
`study check` reports every problem at once. The keys of `[analysis]` are in
[analysis.md](analysis.md), those of an assistant's own file in [assistants.md](assistants.md), task packs in
[task_packs.md](../how-to/task_packs.md), item banks in [item_banks.md](../how-to/item_banks.md).

Stages come in the order of the file. A stage of kind `consent` is first, one of kind `debrief` last. Allocation happens
on the way into the first stage that differs by arm (`instructions`, or `tasks` with `assistant = true`), so that
everything before it is baseline. A stage with `minutes` has a deadline that the server keeps."""


def _field_docs(model: type[BaseModel]) -> dict[str, str]:
    """Return the string under each field, of the class and its bases."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base in (object, BaseModel) or not issubclass(base, BaseModel):
            continue
        source = inspect.getsource(base)
        for match in re.finditer(
            r'^    (\w+): [^\n]*(?:\n(?!    \w+:|    """|    @|    def )[^\n]*)*\n    """(.*?)"""', source, re.M | re.S
        ):
            found[match.group(1)] = " ".join(match.group(2).split())
    return found


def _key(model: type[BaseModel], key: str, field: FieldInfo, docs: dict[str, str]) -> str:
    name = field.alias or key
    if field.is_required():
        default = "**required**"
    else:
        value = field.get_default(call_default_factory=False)
        simple = value is None or isinstance(value, str | int | float | bool)
        default = (
            "" if value in (None, "") or not simple else f"`{str(value).lower() if isinstance(value, bool) else value}`"
        )
    return f"| `{name}` | {_type(field.annotation)} | {default} | {docs.get(key, '')} |"


def _type(kind: Any) -> str:
    origin = get_origin(kind)
    if origin is UnionType or str(origin) == "typing.Union":
        return " or ".join(dict.fromkeys(_type(part) for part in get_args(kind) if part is not type(None)))
    if str(origin) == "typing.Literal":
        return " or ".join(f"`{value}`" for value in get_args(kind))
    if origin in (tuple, list):
        return f"list of {_type(get_args(kind)[0])}"
    if origin is dict:
        return f"table of {_type(get_args(kind)[1])}"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    if kind in names:
        return names[kind]
    if hasattr(kind, "__metadata__"):
        return _type(kind.__origin__)
    if isinstance(kind, type) and issubclass(kind, Arm):
        return "arm"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", getattr(kind, "__name__", str(kind))).lower()


def codebook() -> str:
    """docs/reference/codebook.md: every column of the shipped study's dataset."""
    library = open_library(ROOT / "study.toml")
    return codebook_page(library.study, library)


def events() -> str:
    """docs/reference/events.md: every kind of event and the keys of its payload."""
    return f"# Events\n\n{EVENTS}\n\n{event_tables()}\n"


EVENTS = """Generated by `scripts/generate_docs.py` from the types in `study_app/domain/events/`; a test keeps it so.
What a page sends is checked against these types when it arrives; [dataset.md](dataset.md) says what the columns around
the payload hold. A key that is not named here is kept and read by nothing. Moments of a page are its own clock's."""


def designs() -> str:
    """docs/reference/designs.md: what every step makes of each value of a design key."""
    head = ["key", "value", *VERBS]
    rows = [
        f"| `{design.key}` | `{design.value or '(empty)'}` | "
        + " | ".join("yes" if design.carries(verb) else "refused" for verb in VERBS)
        + " |"
        for design in TABLE
    ]
    table = "\n".join(["| " + " | ".join(head) + " |", "| --- " * len(head) + "|", *rows])
    reasons = {
        f'- `{design.key} = "{design.value}"`, refused by {", ".join(design.refused.gates)}: '
        f"{design.refused.what}; {design.refused.remedy}."
        for design in TABLE
        if design.refused is not None
    }
    received = "\n".join(["| what | `analyze` | because |", "| --- | --- | --- |", *map(_row_of_received, RECEIVED)])
    parts = ["# Designs", DESIGNS, table, "## Why", "\n".join(sorted(reasons))]
    return "\n\n".join([*parts, "## Datasets that are there", RECEIVED_INTRODUCTION, received]) + "\n"


def _row_of_received(entry: tuple[str, str, str]) -> str:
    return f"| {' | '.join(entry)} |"


DESIGNS = """Generated from the code by `scripts/generate_docs.py`; a test keeps it current. Another runs a study with
each value through every step that says yes, and fails where a value has no row. `set` stands for a key that is given.
`study launch` refuses what `study analyze` refuses; `study check` warns of it. `study power` and `study rehearse`
refuse what `power` refuses and what `check` refuses in a study or its plan."""
RECEIVED_INTRODUCTION = """`study check` and `study launch` refuse more than the table says: what a study or its plan
says and no trial could do. A dataset may be older than such a rule, and its plan registered, so `study analyze` refuses
only what would make a number wrong."""


def derivations() -> str:
    """docs/reference/derivations.md: the page that each dataset brings."""
    return shipped("derivations.md").decode()


PAGES = {
    "commands.md": commands,
    "study_file.md": study_file,
    "codebook.md": codebook,
    "designs.md": designs,
    "derivations.md": derivations,
    "events.md": events,
}


def main() -> None:
    """Write every page."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
        sys.stdout.write(f"docs/reference/{name}\n")
    for kind, text in schemas.texts().items():
        (SCHEMAS / f"{kind}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
