"""Whether recordings can answer once models are retired, and how much of what people ask they would know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from study_app.assistant.replaying.recorded import RecordedAssistant, turn_problems
from study_app.content.library import FolderLibrary
from study_app.domain.assistants.recording import MATCHES
from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.content.content_paths import name_of
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.text_files import decode_text
from study_app.services.operation.models.asking import assisted_folders, questions

KEY = "assistant_policy.on_retirement"
REPLAY = 'on_retirement = "replay"'


def replay_problems(library: FolderLibrary) -> Iterator[Problem]:
    """Yield what keeps recordings from answering in the place of models, where the study wants them to."""
    if library.study.assistant_policy.on_retirement != "replay":
        return
    by_model = _by_model(library)
    if not by_model:
        what = '"replay", but no model answers in any arm, and none can be retired'
        yield Problem(library.file, KEY, what, "leave it out")
    for name, spec in by_model.items():
        yield from _of_treatment(library, name, spec)


def replay_coverage(library: FolderLibrary) -> list[str]:
    """Return, for each treatment and task, how its recording would answer the fixed questions of `study probe`."""
    if library.study.assistant_policy.on_retirement != "replay":
        return []
    found = []
    for name, spec in _by_model(library).items():
        recorded = _opened(library, spec)
        counted: dict[str, Counter[str]] = {}
        for question in questions(library.study, library, [name]):
            counted.setdefault(question.task, Counter())[recorded.match(question.request)] += 1
        for task, counts in counted.items():
            matches = ", ".join(f"{counts[match]} {match}" for match in MATCHES)
            found.append(
                f"{spec.recording} in place of '{name}' on {task}: of {counts.total()} fixed questions {matches}"
            )
    return found


def _by_model(library: FolderLibrary) -> dict[str, AssistantSpec]:
    """Return the treatments that an arm has and that a model answers, by name."""
    used = {arm.treatment for arm in library.study.arms_met}
    return {name: spec for name, spec in library.specs.items() if name in used and spec.provider == "claude"}


def _of_treatment(library: FolderLibrary, name: str, spec: AssistantSpec) -> Iterator[Problem]:
    key = f"assistants.{name}.recording"
    if not spec.recording.strip():
        what = f"missing although {KEY.split('.')[0]} says {REPLAY}"
        remedy = 'name the file that study record wrote, or say on_retirement = "stop"'
        yield Problem(library.file, key, what, remedy)
        return
    try:
        recorded = _opened(library, spec)
    except OSError as error:
        yield Problem(library.file, key, f"{spec.recording} cannot be read ({error.strerror})", "correct the path")
        return
    except ProblemsFound as broken:
        yield from broken.problems
        return
    yield from turn_problems(_text(library, spec), spec.recording)
    yield from answer_problems(library, name, spec, recorded, f'say {KEY.split(".")[1]} = "stop"')


def answer_problems(
    library: FolderLibrary, name: str, spec: AssistantSpec, recorded: RecordedAssistant, otherwise: str
) -> Iterator[Problem]:
    """Yield each task on which a recording would answer nothing, such as one of another study.

    Args:
        library: the study's content.
        name: of the treatment, in the study file.
        spec: the treatment.
        recorded: its recording.
        otherwise: what to do where nothing can be recorded.
    """
    key = f"assistants.{name}.recording"
    for folder in assisted_folders(library.study):
        task = name_of(folder)
        if not recorded.answers_on(task):
            what = f"{spec.recording} has no answer on the task '{task}', where '{name}' is asked"
            yield Problem(library.file, key, what, f"record a pilot with this task (study record), or {otherwise}")
    if spec.acts and not recorded.has_steps:
        what = f"{spec.recording} has no steps, but the assistant '{name}' acts"
        yield Problem(library.file, key, what, "record turns of an assistant that acts (study record)")


def _opened(library: FolderLibrary, spec: AssistantSpec) -> RecordedAssistant:
    """Open a recording.

    Raises:
        OSError: it is not there.
        ProblemsFound: a line does not hold a recorded turn.
    """
    return RecordedAssistant(spec, _text(library, spec), file=spec.recording)


def _text(library: FolderLibrary, spec: AssistantSpec) -> str:
    return decode_text((library.root / spec.recording).read_bytes(), spec.recording)
