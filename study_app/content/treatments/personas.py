"""The personas of a study, read from their files, and the assistants that speak as one of them in an arm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from study_app.domain.assistants.personas import Persona, read_persona
from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.study.study import Study
from study_app.domain.text_files import decode_text


def read_personas(study: Study, at: Callable[[str], Path], file: str) -> dict[str, Persona]:
    """Return the personas under [personas], by the name there.

    Args:
        study: the study.
        at: where a path of the study lies.
        file: the study file as the user named it, for messages.

    Raises:
        ProblemsFound: every file that is missing or broken.
    """
    problems: list[Problem] = []
    found = {}
    for name, entry in study.personas.items():
        path = at(entry.file)
        try:
            found[name] = read_persona(decode_text(path.read_bytes(), str(path)), file=str(path), name=name)
        except OSError as error:
            what = f"{entry.file} cannot be read ({error.strerror})"
            problems.append(Problem(file, f"personas.{name}.file", what, "name a persona's file"))
        except ProblemsFound as broken:
            problems += broken.problems
    if problems:
        raise ProblemsFound(problems)
    return found


def spoken(
    study: Study, specs: Mapping[str, AssistantSpec], personas: Mapping[str, Persona], file: str
) -> dict[str, AssistantSpec]:
    """Return the treatments of the arms with a persona, by their names, such as `full+warm`.

    Raises:
        ProblemsFound: an arm chooses a persona for an assistant whose own file has one.
    """
    if problems := list(_spoken_twice(study, specs)):
        raise ProblemsFound([Problem(file, *problem) for problem in problems])
    return {
        arm.treatment: specs[arm.assistant].speaking_as(personas[arm.persona])
        for arm in study.arms_met
        if arm.assistant and arm.persona and arm.treatment
    }


def _spoken_twice(study: Study, specs: Mapping[str, AssistantSpec]) -> Iterator[tuple[str, str, str]]:
    for arm in study.arms_met:
        own = specs[arm.assistant].persona if arm.assistant and arm.persona else None
        if own is not None:
            what = f"'{arm.persona}', but the file of the assistant '{arm.assistant}' has the persona '{own.id}'"
            yield f"arms.{arm.id}.persona", what, "remove one of the two"
