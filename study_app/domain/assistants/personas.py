"""A persona: how an assistant speaks, kept apart from how much it helps, so that a trial can vary it by itself."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.file_tables import FileTable, wanted
from study_app.domain.text_files import parse_toml

JOINT = "+"
"""Between assistant and persona in the name of a treatment, such as `full+warm`; no name in a study file has it."""


class Persona(FileTable):
    """How an assistant speaks."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=60)]
    """In a file under [personas]: the name that the study gives it."""
    fragment: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    """Instructions that follow the assistant's prompt; they say how it speaks, never what or how much it explains."""
    greeting: str = ""
    """First words in the empty pane, in place of the assistant's; never sent to the model."""
    small_talk: str = ""
    """What the embedded assistant puts before its answer to a greeting, to thanks and to the question what it can do;
    in the study's own language."""

    @property
    def shaping(self) -> dict[str, str]:
        """What shapes a reply's words."""
        return self.model_dump(exclude={"greeting"})


class PersonaFile(FileTable):
    """A file `personas/<id>.toml`."""

    persona: Persona = Field()


def treatment_name(assistant: str | None, persona: str | None) -> str | None:
    """Return the name of an assistant with a persona; None without an assistant."""
    return f"{assistant}{JOINT}{persona}" if assistant and persona else assistant


def assistant_of(treatment: str) -> str:
    """Return the assistant's name in the study, from the name of a treatment."""
    return treatment.partition(JOINT)[0]


def read_persona(text: str, *, file: str, name: str) -> Persona:
    """Return the persona in the TOML text of its file.

    Args:
        text: the file's.
        file: its path, for messages.
        name: what the study calls it under [personas].

    Raises:
        ProblemsFound: the text is not TOML, or every problem of the persona.
    """
    try:
        data: Mapping[str, object] = parse_toml(text)
        found = PersonaFile.model_validate(data).persona
    except tomllib.TOMLDecodeError as error:
        raise ProblemsFound([Problem(file, "", f"not readable as TOML: {error}", "correct the syntax there")]) from None
    except ValidationError as error:
        raise ProblemsFound([_problem(dict(one), file) for one in error.errors()]) from None
    if found.id != name:
        what = f"'{found.id}', but the study calls it '{name}'"
        raise ProblemsFound([Problem(file, "persona.id", what, "give both the same name")])
    return found


def _problem(error: Mapping[str, object], file: str) -> Problem:
    places = error["loc"]
    key = ".".join(str(part) for part in places) if isinstance(places, tuple) else ""
    if error["type"] == "missing":
        return Problem(file, key, "missing", "add it")
    if error["type"] == "extra_forbidden":
        return Problem(file, key, "unknown key", "remove it or correct its spelling")
    return Problem(file, key, f"{error['input']!r} is not valid", f"give {wanted(str(error['msg']))}")
