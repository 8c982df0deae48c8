"""What a study is made of, opened: its library, texts, assistants and earlier versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from study_app.assistant.notes import NotesLoader, notes_in_folder
from study_app.assistant.opening import open_assistant, provider_in_use
from study_app.content.kept_library import KeptLibrary
from study_app.content.library import FolderLibrary
from study_app.content.study_file import read_study
from study_app.content.texts import TextShelf
from study_app.domain.assistants.treatments import AssistantSpec
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.study.study import Study
from study_app.domain.text_files import decode_text
from study_app.ports import Assistant
from study_app.sandbox.packages import installation
from study_app.services.version_content import Edition
from study_app.settings import Settings

ModelGone = Callable[[str, AssistantSpec, str], bool]
"""Treatment's name, treatment, SHA-256 of its recording -> whether the recording answers in its model's place."""
SECONDS_PER_WORD = 0.02
"""Pace of the embedded assistant."""


def open_library(study_file: Path) -> FolderLibrary:
    """Read a study file and all that it names.

    Raises:
        ProblemsFound: every problem of the file, or of its packs, banks and assistants.
    """
    study = read_study(study_file)
    library = FolderLibrary(study, study_file.resolve().parent, str(study_file))
    library.open()
    return library


def library_versions(library: FolderLibrary) -> dict[str, str]:
    """Distribution -> version of everything that participants' programs can import here."""
    named = [name for packages in library.taught_packages.values() for name in packages]
    return installation(library.package_folders).versions(named)


def open_texts(library: FolderLibrary) -> TextShelf:
    """Return the texts of each language that the study offers, so that a missing one is found at the start.

    Raises:
        ProblemsFound: there are none in one of them.
    """
    shelf = TextShelf(library.own_texts)
    for language in library.study.offered:
        try:
            _ = shelf[language]
        except ProblemsFound as missing:
            raise ProblemsFound([replace(each, file=library.file) for each in missing.problems]) from None
    return shelf


def open_assistants(
    library: FolderLibrary, settings: Settings, seconds_per_word: float, gone: ModelGone
) -> dict[str, Assistant]:
    """Open the assistant of each arm; a study that demands Claude never gets the embedded one in its place.

    Args:
        library: the study's content.
        settings: where things are.
        seconds_per_word: pace of the embedded assistant.
        gone: asks, for a treatment by name that a recording can replace, whether its model is served no more.

    Raises:
        ProblemsFound: a key, notes or a recording is missing, each named.
    """
    problems: list[Problem] = []
    shelf = open_texts(library)
    found: dict[str, Assistant] = {}
    load_notes = notes_loader(library)
    for name, spec in library.specs.items():
        if (
            library.study.assistant_policy.require == "claude"
            and provider_in_use(spec, settings.environment) == "notes"
        ):
            what = f"'claude', but ANTHROPIC_API_KEY is not set for the assistant '{name}'"
            remedy = 'set the key in the environment, or say require = "any"'
            problems.append(Problem(library.file, "assistant_policy.require", what, remedy))
            continue
        try:
            found[name] = open_assistant(
                spec,
                environment=settings.environment,
                load_notes=load_notes,
                load_recording=lambda path: decode_text(_recording(library, settings, path).read_bytes(), path),
                seconds_per_word=seconds_per_word,
                texts=lambda language: shelf[language].table("embedded"),
                language=library.study.language,
                gone=_replacing(library, name, spec, gone),
            )
        except ProblemsFound as error:
            problems += error.problems
    if problems:
        raise ProblemsFound(problems)
    return found


def _replacing(library: FolderLibrary, name: str, spec: AssistantSpec, gone: ModelGone) -> Callable[[], bool] | None:
    """Return what finds out that a model is gone, where the study lets a recording answer then."""
    replays = library.study.assistant_policy.on_retirement == "replay" and spec.recording
    digest = library.materials().get(spec.recording, "") if replays else ""
    return (lambda: gone(name, spec, digest)) if replays else None


def edition_opener(
    settings: Settings, seconds_per_word: float, gone: ModelGone
) -> Callable[[Study, str, Mapping[str, bytes]], Edition]:
    """Return what opens the content of an amended version, with the assistants that its participants go on with."""

    def opened(study: Study, study_hash: str, files: Mapping[str, bytes]) -> Edition:
        library = KeptLibrary(study, settings.var / "versions" / study_hash, files)
        library.open()
        return Edition(library, open_assistants(library, settings, seconds_per_word, gone))

    return opened


def _recording(library: FolderLibrary, settings: Settings, path: str) -> Path:
    """Return where a recording lies: a version's files do not hold it, so an earlier version uses the study's."""
    there = library.at(path)
    return there if there.exists() else settings.study_file.resolve().parent / path


def notes_loader(library: FolderLibrary) -> NotesLoader:
    """Return what gives the notes of packs as they are now, with the hash: files may change under a running server.

    Notes that cannot be read keep an assistant from answering and not a study from its start, which may not need them.
    """
    study = library.study
    notes: dict[str, dict[str, str]] = {}
    broken: dict[str, OSError | ProblemsFound] = {}
    for folder in study.pack_folders:
        for language in study.offered:
            other = "" if language == study.language else language
            named = f"{folder}:{other}" if other else folder
            try:
                notes[named] = notes_in_folder(str(library.at(folder)), other)
            except (OSError, ProblemsFound) as error:
                broken[named] = error

    def load(pack: str) -> dict[str, str]:
        if pack in broken:
            raise broken[pack]
        return notes.get(pack, {})

    return load
