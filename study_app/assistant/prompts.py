"""What Claude is sent: the treatment's prompt, the task, the conversation so far, the code and the message."""

from __future__ import annotations

from dataclasses import dataclass

from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec

MAX_HISTORY_TURNS = 20
MAX_HISTORY_CHARACTERS = 60_000
"""Older turns are left out first; the message, the code and the brief never are."""


_WITHHOLD = (
    "\n\nThe person has not yet explained how they would solve this. Give no code at all in this reply, not even a "
    "part of it. Answer what can be answered without code, and ask them to explain their idea: which steps, and why."
)


@dataclass(frozen=True)
class Conversation:
    """A system prompt and the messages after it, user and assistant in turns, the last one the user's."""

    system: str
    messages: tuple[dict[str, str], ...]


def conversation(spec: AssistantSpec, request: AssistantRequest) -> Conversation:
    """Return the same words for the same treatment and request, so that a turn can be audited from the export."""
    messages = []
    for message, reply in recent(request.history):
        messages += [{"role": "user", "content": message}, {"role": "assistant", "content": reply}]
    messages.append({"role": "user", "content": _question(request)})
    return Conversation(_system(spec, request), tuple(messages))


def recent(history: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return the latest turns within both bounds, oldest first.

    Turns without a message or a reply (refused, failed) go.
    """
    kept: list[tuple[str, str]] = []
    characters = 0
    for message, reply in reversed(history[-MAX_HISTORY_TURNS:]):
        characters += len(message) + len(reply)
        if characters > MAX_HISTORY_CHARACTERS:
            break
        if message.strip() and reply.strip():
            kept.append((message, reply.rstrip()))
    return tuple(reversed(kept))


def _system(spec: AssistantSpec, request: AssistantRequest) -> str:
    task = f"<task>\n{request.brief.strip()}\n</task>"
    # In a study in English nothing is said of the language, so that its treatments stay what they were.
    said = "" if request.language == "en" else f"\n\nWrite your replies in the language '{request.language}'."
    return f"{spec.instructions}{_WITHHOLD if request.withhold_code else ''}{said}\n\n{task}"


def _question(request: AssistantRequest) -> str:
    code = request.code.rstrip() or "(the editor is empty)"
    return f"<current_code>\n{code}\n</current_code>\n\n{request.message.strip()}"
