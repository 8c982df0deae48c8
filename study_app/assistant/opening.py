"""Chooses the assistant that a treatment gets on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from study_app.assistant.notes import ENGLISH, NotesAssistant, NotesLoader, TextsOf, notes_in_folder
from study_app.assistant.replaying.recorded import RecordedAssistant
from study_app.domain.assistants.treatments import API_KEY_VARIABLE, AssistantSpec, Provider
from study_app.domain.errors import Problem, ProblemsFound
from study_app.ports import Assistant

if TYPE_CHECKING:
    from study_app.assistant.claude import ClaudeAssistant

BASE_URL_VARIABLE = "ANTHROPIC_BASE_URL"


def provider_in_use(spec: AssistantSpec, environment: Mapping[str, str]) -> Provider:
    """Who answers on this machine: the treatment's provider, or `notes` in Claude's place where there is no key."""
    if spec.provider == "claude" and not environment.get(API_KEY_VARIABLE, "").strip():
        return "notes"
    return spec.provider


def open_assistant(
    spec: AssistantSpec,
    *,
    environment: Mapping[str, str],
    load_notes: NotesLoader = notes_in_folder,
    load_recording: Callable[[str], str] | None = None,
    embedded_allowed: bool = True,
    seconds_per_word: float = 0.02,
    texts: TextsOf | None = None,
    language: str = ENGLISH,
    gone: Callable[[], bool] | None = None,
) -> Assistant:
    """Return the assistant of a treatment; it makes no connection before the first message.

    Args:
        spec: The treatment.
        environment: Holds `ANTHROPIC_API_KEY` and, where set, `ANTHROPIC_BASE_URL`.
        load_notes: Pack -> its notes, for the embedded assistant.
        load_recording: The recording's name, as the treatment gives it -> its JSON Lines text.
        embedded_allowed: Whether the embedded assistant may stand in for Claude where there is no key.
        seconds_per_word: Pace of the embedded assistant.
        texts: Language -> the sentences of the embedded and the recorded assistant in languages other than English.
        language: The study's own, in which the packs' notes are.
        gone: Where the treatment's recording is to answer once Claude's provider serves the model no more: asks whether
            it does, and puts the replacement on record.

    Raises:
        ProblemsFound: no key and no stand-in allowed, an address that is none, a recording that cannot be read.
    """
    provider = provider_in_use(spec, environment)
    if provider == "claude":
        claude = _claude(spec, environment)
        return claude if gone is None else _replaceable(spec, claude, load_recording, texts, gone)
    if provider == "recorded":
        return _recorded(spec, load_recording, texts)
    if spec.provider == "claude" and not embedded_allowed:
        what = f"not set, but the assistant {spec.id!r} answers with Claude"
        remedy = "set it, or allow the embedded assistant in the study file (assistant_policy.allow_embedded = true)"
        raise ProblemsFound([Problem("environment", API_KEY_VARIABLE, what, remedy)])
    return NotesAssistant(
        spec, load_notes=load_notes, seconds_per_word=seconds_per_word, texts=texts, language=language
    )


def _replaceable(
    spec: AssistantSpec,
    claude: ClaudeAssistant,
    load_recording: Callable[[str], str] | None,
    texts: TextsOf | None,
    gone: Callable[[], bool],
) -> Assistant:
    from study_app.assistant.replaying.standing_in import ReplaceableModel

    return ReplaceableModel(claude, _recorded(spec, load_recording, texts), gone)


def _claude(spec: AssistantSpec, environment: Mapping[str, str]) -> ClaudeAssistant:
    key = environment[API_KEY_VARIABLE].strip()
    base_url = environment.get(BASE_URL_VARIABLE, "").strip() or None
    problems = []
    if not key.isascii() or not key.isprintable() or " " in key:
        problems.append(Problem("environment", API_KEY_VARIABLE, "holds characters no key has", "copy the key again"))
    if base_url and not base_url.startswith(("http://", "https://")):
        what = f"{base_url!r} is not an address"
        problems.append(Problem("environment", BASE_URL_VARIABLE, what, "begin it with https://, or unset it"))
    if problems:
        raise ProblemsFound(problems)
    # Imported here, for the SDK takes a second that only a server with a key should wait for.
    from study_app.assistant.claude import ClaudeAssistant

    return ClaudeAssistant(spec, api_key=key, base_url=base_url)


def _recorded(
    spec: AssistantSpec, load_recording: Callable[[str], str] | None, texts: TextsOf | None
) -> RecordedAssistant:
    if load_recording is None:
        raise ProblemsFound([Problem(spec.recording, "", "recordings cannot be read here", "use another provider")])
    try:
        text = load_recording(spec.recording)
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise ProblemsFound([Problem(spec.recording, "", what, "correct `recording`")]) from None
    return RecordedAssistant(spec, text, file=spec.recording, texts=texts)
