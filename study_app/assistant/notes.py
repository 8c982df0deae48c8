"""The embedded assistant: answers from the task pack's notes, without a key and without a network."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from study_app.assistant.answers import answer
from study_app.assistant.notebook import Notebook
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec, ReplyEnd, TextDelta
from study_app.domain.errors import AssistantUnavailable, ProblemsFound
from study_app.domain.text_files import decode_text

MODEL = "notes-2"
"""Exported as the model; counts up when the same request is answered in other words."""

NotesLoader = Callable[[str], Mapping[str, str]]
"""Pack -> its notes, file name to text."""


def notes_in_folder(pack: str) -> dict[str, str]:
    """The Markdown files of `<pack>/notes`; none where the folder is missing.

    Raises:
        ProblemsFound: a file is not UTF-8 text.
    """
    return {path.name: decode_text(path.read_bytes(), str(path)) for path in sorted(Path(pack, "notes").glob("*.md"))}


WORDS_AT_ONCE = 4
MOST_SECONDS = 10.0
"""Longest that a reply may take to be put together; every pattern is linear, so this is for a machine that is busy."""
TOO_MUCH = (
    "That is more than I can read at once. Please send the part that matters: the question or the error's last lines."
)


class NotesAssistant:
    """Answers from notes; the same words for the same request."""

    id = "notes"

    def __init__(
        self, spec: AssistantSpec, *, load_notes: NotesLoader = notes_in_folder, seconds_per_word: float = 0.02
    ) -> None:
        self._spec = spec
        self._load_notes = load_notes
        self._pause = seconds_per_word
        self._notebooks: dict[str, Notebook] = {}
        self._reading = threading.Lock()

    async def reply(self, request: AssistantRequest) -> AsyncIterator[TextDelta | ReplyEnd]:
        """Stream one reply, a few words at a time; see `ports.Assistant`.

        Raises:
            AssistantUnavailable: the pack's notes cannot be read.
        """
        # Reading notes tries every pattern in them, half a second for a pack: not on the loop that serves everybody.
        notebook = await asyncio.to_thread(self._notebook, request.pack)
        text = await self._answer(request, notebook)
        # A few words at once, as a model's tokens come: word by word, many replies at a time keep the server busy.
        words = re.findall(r"\S+\s*|\s+", text)
        for start in range(0, len(words), WORDS_AT_ONCE):
            piece = words[start : start + WORDS_AT_ONCE]
            yield TextDelta("".join(piece))
            await asyncio.sleep(self._pause * len(piece))
        yield ReplyEnd(MODEL, self._spec.prompt_version, parameters={"notes": notebook.digest})

    async def _answer(self, request: AssistantRequest, notebook: Notebook) -> str:
        """The reply, worked out beside the event loop; a message that takes too long to read gets a sentence."""
        told = asyncio.to_thread(answer, request, notebook, manner=self._spec.manner, gives_code=self._spec.gives_code)
        try:
            return await asyncio.wait_for(told, MOST_SECONDS)
        except TimeoutError:
            return TOO_MUCH

    def _notebook(self, pack: str) -> Notebook:
        """The notes of a pack, read once, at the first question about it; who asks meanwhile waits."""
        with self._reading:
            if pack not in self._notebooks:
                try:
                    self._notebooks[pack] = Notebook(self._load_notes(pack))
                except (OSError, ProblemsFound) as error:
                    raise AssistantUnavailable("other", f"the notes of {pack} cannot be read: {error}") from error
            return self._notebooks[pack]
