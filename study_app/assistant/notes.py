"""The embedded assistant: answers from the task pack's notes, without a key and without a network."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from study_app.assistant.answers import answer
from study_app.assistant.embedded.acting import next_step
from study_app.assistant.embedded.languages.answering import answer_from
from study_app.assistant.notebook import Notebook
from study_app.domain.assistants.acting import AgentRequest, ToolCall
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec, ReplyEnd, TextDelta
from study_app.domain.errors import AssistantUnavailable, ProblemsFound
from study_app.domain.text_files import decode_text, parse_toml

MODEL = "notes-2"
"""Exported as the model; counts up when the same request is answered in other words."""

NotesLoader = Callable[[str], Mapping[str, str]]
"""Pack -> its notes, file name to text; `PACK:LANGUAGE` for its notes in another language than the study's."""


def notes_in_folder(pack: str, language: str = "") -> dict[str, str]:
    """Return the Markdown files of `<pack>/notes`, or of `<pack>/notes.<language>`; none where the folder is missing.

    A variant of a task that has no such folder has the notes of its twin.

    Raises:
        ProblemsFound: a file is not UTF-8 text.
    """
    name = f"notes.{language}" if language else "notes"
    folder = Path(pack, name)
    if not folder.exists() and (twin := _twin_of(Path(pack))) is not None:
        folder = twin / name
    # Editors and Finder hide files beside those that they have open; a study's hash passes them over, too.
    files = [path for path in sorted(folder.glob("*.md")) if not path.name.startswith(".")]
    return {path.name: decode_text(path.read_bytes(), str(path)) for path in files}


def _twin_of(pack: Path) -> Path | None:
    """Return the folder of the task that a pack is an impossible variant of."""
    try:
        file = pack / "task.toml"
        of = parse_toml(decode_text(file.read_bytes(), str(file)))["variant"]["of"]
    except (OSError, ValueError, KeyError, TypeError, ProblemsFound):
        return None
    return pack.parent / of if isinstance(of, str) else None


TextsOf = Callable[[str], Mapping[str, str]]
"""Language -> the texts' table `embedded`."""
ENGLISH = "en"
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
        self,
        spec: AssistantSpec,
        *,
        load_notes: NotesLoader = notes_in_folder,
        seconds_per_word: float = 0.02,
        texts: TextsOf | None = None,
        language: str = ENGLISH,
    ) -> None:
        self._texts = texts
        self._language = language
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
        notebook = await self._notes_for(request)
        async for piece in self._said(await self._answer(request, notebook)):
            yield piece
        yield ReplyEnd(MODEL, self._spec.prompt_version, parameters={"notes": notebook.digest})

    async def step(self, request: AgentRequest) -> AsyncGenerator[TextDelta | ToolCall | ReplyEnd]:
        """Stream one step of an agent; see `ports.ActingAssistant`.

        Raises:
            AssistantUnavailable: the pack's notes cannot be read, or working the step out takes too long.
        """
        notebook = await self._notes_for(request.asked)
        try:
            thinking = asyncio.to_thread(next_step, request, notebook, self._texts_for(request.asked))
            following = await asyncio.wait_for(thinking, MOST_SECONDS)
        except TimeoutError:
            raise AssistantUnavailable("timeout", "the next step could not be worked out in time") from None
        async for piece in self._said(following.text):
            yield piece
        if following.call is not None:
            yield following.call
        yield ReplyEnd(MODEL, self._spec.prompt_version, parameters={"notes": notebook.digest})

    def _texts_for(self, request: AssistantRequest) -> Mapping[str, str] | None:
        """Return its sentences in the participant's language; None in English, where they stand in the code."""
        return None if request.language == ENGLISH or self._texts is None else self._texts(request.language)

    async def _notes_for(self, request: AssistantRequest) -> Notebook:
        own = request.language == self._language
        named = request.pack if own else f"{request.pack}:{request.language}"
        # Reading notes tries every pattern in them, half a second for a pack: not on the loop that serves everybody.
        return await asyncio.to_thread(self._notebook, named)

    async def _said(self, text: str) -> AsyncIterator[TextDelta]:
        """Yield a few words at once, as tokens come: one by one, many replies at once keep a server busy."""
        words = re.findall(r"\S+\s*|\s+", text)
        for start in range(0, len(words), WORDS_AT_ONCE):
            piece = words[start : start + WORDS_AT_ONCE]
            yield TextDelta("".join(piece))
            await asyncio.sleep(self._pause * len(piece))

    async def _answer(self, request: AssistantRequest, notebook: Notebook) -> str:
        """Return the reply, worked out beside the event loop; a message that takes too long to read gets a sentence."""
        how: dict[str, Any] = {
            "manner": self._spec.manner,
            "gives_code": self._spec.gives_code and not request.withhold_code,
        }
        if self._spec.persona is not None and request.language == self._language:
            how["small_talk"] = self._spec.persona.small_talk
        texts = self._texts_for(request)
        if texts is None:
            answering = asyncio.to_thread(answer, request, notebook, **how)
        else:
            answering = asyncio.to_thread(answer_from, request, notebook, texts, **how)
        try:
            # Python cannot stop the thread, which goes on to its end; no pattern takes more than linear time, so the
            # end comes.
            return await asyncio.wait_for(answering, MOST_SECONDS)
        except TimeoutError:
            return TOO_MUCH if texts is None else texts["too_much"]

    def _notebook(self, pack: str) -> Notebook:
        """Return the notes of a pack, read once, at the first question about it; who asks meanwhile waits."""
        with self._reading:
            if pack not in self._notebooks:
                try:
                    self._notebooks[pack] = Notebook(self._load_notes(pack))
                except (OSError, ProblemsFound) as error:
                    raise AssistantUnavailable("other", f"the notes of {pack} cannot be read: {error}") from error
            return self._notebooks[pack]
