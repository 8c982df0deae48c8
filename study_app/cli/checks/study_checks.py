"""Checks that several commands share: what assistants need, and what a server needs before it starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study_app.assistant.notebook import Notebook
from study_app.assistant.notes import notes_in_folder
from study_app.assistant.opening import open_assistant, provider_in_use
from study_app.assistant.replaying.recorded import RecordedAssistant, turn_problems
from study_app.cli.checks.judging import trial_problems
from study_app.cli.checks.replay_checks import answer_problems, replay_problems
from study_app.cli.common import start
from study_app.content.languages.language_checks import language_problems, review_problems
from study_app.content.library import FolderLibrary
from study_app.content.requirements import other_files_problems, requirements_problems
from study_app.content.spellings import spelling_problems
from study_app.domain.assistants.treatments import API_KEY_VARIABLE, AssistantSpec
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.interaction.patterns import rule_set
from study_app.domain.study.contradictions.named_content import named_content_problems
from study_app.domain.study.durations import whole, wrong_minutes
from study_app.domain.study.study import Study
from study_app.domain.text_files import decode_text
from study_app.services.grading.authoring import taught_problems

if TYPE_CHECKING:
    from study_app.bootstrap import App
    from study_app.settings import Settings

_NOTES_OF_MANNER = {"answers": "concepts", "hints": "hints", "questions": "questions", "agent": "code"}
"""Manner of an assistant -> the notes without which the embedded one has nothing to say in this manner."""


def assistant_problems(library: FolderLibrary, environment: Mapping[str, str]) -> list[Problem]:
    """Return whether each assistant that an arm has can answer on this machine from what it needs.

    Args:
        library: the study's content.
        environment: says whether there is a key, without which the embedded assistant takes Claude's place.
    """
    problems: list[Problem] = []
    used = {arm.treatment for arm in library.study.arms_met}
    for name, spec in library.specs.items():
        if library.study.assistant_policy.study_cost_limit is not None and spec.price is None:
            what = f"cannot be kept: the assistant '{name}' names no price"
            remedy = "give [price] input_usd and output_usd in its file"
            problems.append(Problem(library.file, "assistant_policy.study_cost_limit", what, remedy))
        if spec.provider == "recorded":
            problems += _of_recording(library, name, spec, environment)
        embedded = spec.provider == "claude" and library.study.assistant_policy.allow_embedded
        if name in used and (embedded or provider_in_use(spec, environment) == "notes"):
            problems += _of_notes(library, name, spec)
            problems += _of_other_languages(library, name)
    return sorted({*problems, *_of_interviews(library), *replay_problems(library)})


def _of_interviews(library: FolderLibrary) -> Iterator[Problem]:
    """Yield each plan whose model could cost more than the study's limit without being counted."""
    if library.study.assistant_policy.study_cost_limit is None:
        return
    for plan in library.plans.values():
        if plan.asks_model and plan.price is None:
            what = f"cannot be kept: the interview '{plan.id}' names no price"
            remedy = 'give [price] input_usd and output_usd in its file, or mode = "fixed"'
            yield Problem(library.file, "assistant_policy.study_cost_limit", what, remedy)


def file_problems(running: App, file: str, environment: Mapping[str, str]) -> list[Problem]:
    """Return what keeps a study from real participants by its files: language, assistants, styles, limits, the plan.

    Args:
        running: the study as started.
        file: the study file as the user named it.
        environment: says whether there is a key for Claude.
    """
    library, study = running.library, running.study
    return [
        *style_problems(study.styles, file),
        *language_problems(library),
        *review_problems(library),
        *minutes_problems(study, file),
        *other_files_problems(library.requirements, file),
        *assistant_problems(library, environment),
        *trial_problems(library, file),
    ]


def fresh_problems(running: App, problems: list[Problem], file: str) -> list[Problem]:
    """Return those of a launched study's problems that its locked version has not: rules may be newer than a launch."""
    found, texts = running.lifecycle.passed_over()
    passed = in_file(found, file)
    requirements = running.library.requirements
    if requirements and (text := texts.get(running.study.requirements)) is not None:
        passed += other_files_problems(replace(requirements, text=text), file)
    return [each for each in problems if each not in passed]


def in_file(problems: list[Problem], file: str) -> list[Problem]:
    """Return problems of the study file under the name that the user gave it."""
    return [replace(problem, file=file) if problem.file == "study.toml" else problem for problem in problems]


def minutes_problems(study: Study, file: str) -> list[Problem]:
    """Texts that tell participants another limit than the one that is kept."""
    return [
        Problem(
            file,
            wrong.key,
            f"the text says '{wrong.stated}', the limit is {whole(wrong.limit)} minutes",
            "write {minutes} in its place ({total_minutes} for the whole session), or correct one of the two",
        )
        for wrong in wrong_minutes(study)
    ]


def style_problems(styles: dict[str, Any], file: str) -> list[Problem]:
    """Return what is wrong with the study's own patterns of use."""
    if not styles:
        return []
    try:
        rule_set(styles, file)
    except ProblemsFound as found:
        return list(found.problems)
    return []


def draft_spellings(running: App, file: str) -> list[Problem]:
    """Return what `check` says about how a draft names its content: it can be tried out so, and not be launched."""
    with running.context.registry.begin(write=False) as unit:
        if running.context.state(unit) != "draft":
            return []
    named = (Problem(file, *finding) for finding in named_content_problems(running.study))
    return [*named, *(replace(problem, file=file) for problem in spelling_problems(running.library))]


def start_serving(settings: Settings, file: str) -> App:
    """Start a study as `serve` does; `doctor` calls it too, so that it says what `serve` would refuse.

    Raises:
        StudyError: what keeps the study from being served: its file, its content, its database, a change since the
            launch, a package that is missing.
    """
    running = start(settings)
    try:
        check_packages(running, file)
    except BaseException:
        running.close()
        raise
    return running


def check_packages(running: App, file: str) -> None:
    """Refuse to start where participants' programs could not import what their tasks teach.

    Raises:
        ProblemsFound: every package that is missing, with the file that names it.
    """
    problems = requirements_problems(running.library.requirements, file)
    if not problems and running.context.sandbox.isolation().level != "off":
        problems = taught_problems(running.context.sandbox, running.library.taught_packages)
    if problems:
        raise ProblemsFound(problems)


def versions_listed(versions: Mapping[str, str]) -> str:
    """Return packages with their versions, for one line of the terminal."""
    return ", ".join(f"{name} {version}" for name, version in versions.items()) or "no pack names a package of it"


def _of_recording(
    library: FolderLibrary, name: str, spec: AssistantSpec, environment: Mapping[str, str]
) -> list[Problem]:
    texts: list[str] = []

    def load(path: str) -> str:
        texts.append(decode_text((library.root / path).read_bytes(), path))
        return texts[-1]

    try:
        recorded = open_assistant(spec, environment=environment, load_recording=load)
    except ProblemsFound as found:
        return list(found.problems)
    problems = [each for text in texts for each in turn_problems(text, spec.recording)]
    used = any(arm.treatment == name for arm in library.study.arms_met)
    if used and isinstance(recorded, RecordedAssistant):
        problems += answer_problems(library, name, spec, recorded, "choose another provider")
    return problems


def _of_notes(library: FolderLibrary, name: str, spec: AssistantSpec) -> Iterator[Problem]:
    """Yield what the embedded assistant lacks in the packs of the stages where it answers."""
    for folder in library.study.helped_packs:
        notes = library.root / folder / "notes"
        named = f"{folder}/notes"
        try:
            notebook = Notebook(notes_in_folder(str(notes.parent)))
        except ProblemsFound as found:
            yield from (replace(one, file=f"{named}/{Path(one.file).name}") for one in found.problems)
            continue
        except OSError as error:
            yield Problem(named, "", f"cannot be read ({error.strerror})", "make it a readable folder")
            continue
        if not notebook.notes:
            what = f"there are no notes, but the assistant '{name}' answers from them{_because(spec)}"
            yield Problem(
                named, "", what, f"write {named}/concepts.md (docs/reference/assistants.md), or {_otherwise(spec)}"
            )
        elif not notebook.of_kind(_NOTES_OF_MANNER[spec.manner]):  # type: ignore[arg-type]
            file = f"{named}/{_NOTES_OF_MANNER[spec.manner]}.md"
            what = f"there are no such notes, but the assistant '{name}' answers from them (manner = \"{spec.manner}\")"
            yield Problem(file, "", what, f"write them (docs/reference/assistants.md), or {_otherwise(spec)}")


def _of_other_languages(library: FolderLibrary, name: str) -> Iterator[Problem]:
    """Yield notes in each language that the study offers beside its own."""
    for folder in library.study.helped_packs:
        for language in library.study.offered:
            if language == library.study.language:
                continue
            named = f"{folder}/notes.{language}"
            try:
                found = Notebook(notes_in_folder(str(library.root / folder), language)).notes
            except ProblemsFound as broken:
                yield from (replace(one, file=f"{named}/{Path(one.file).name}") for one in broken.problems)
                continue
            if not found:
                what = f"there are no notes in '{language}', from which the assistant '{name}' would answer"
                yield Problem(named, "", what, f"write {named}/concepts.md, or offer the study without '{language}'")


def _because(spec: AssistantSpec) -> str:
    return f" where there is no {API_KEY_VARIABLE}" if spec.provider == "claude" else ""


def _otherwise(spec: AssistantSpec) -> str:
    if spec.provider == "claude":
        return f"set {API_KEY_VARIABLE} and say allow_embedded = false"
    return "choose another provider for the assistant"
