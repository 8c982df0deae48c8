"""The form of one published annotated transcript, and reading a folder of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.text_files import decode_text

EventType = Literal[
    "task_start",
    "ai_interaction",
    "ai_query",
    "websearch",
    "paste",
    "code_copying",
    "error",
    "system_error",
    "ai_delay",
    "task_completion",
    "task_submission",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
"""What an annotator saw, in the order of the code book."""

CODES = (
    *EVENT_TYPES,
    "question",
    "code_generation",
    "debugging",
    "capability_question",
    "thanks",
    "incomplete",
    "cosmos_error",
    "coding_language_error",
)
"""The spellings that need no repair."""

CODE_SPELLINGS = {
    "ai_intersection": "ai_interaction",
    "task_submisison": "task_submission",
    "task_completion.": "task_completion",
    "task_complete": "task_completion",
    "Error": "error",
    "web_search": "websearch",
}
"""Spelling as published -> the code meant."""

_TIMESTAMP = re.compile(r"[0-9]{2}:[0-5][0-9]:[0-5][0-9]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_FIELDS_OF_EVERY_FILE = "remove it, or correct its name to one that the transcripts have"


def _check_timestamp(text: str) -> str:
    if not _TIMESTAMP.fullmatch(text):
        raise ValueError(f"{text!r} is not a time HH:MM:SS")
    return text


Minutes = Annotated[int, Field(ge=0, le=24 * 60)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class AnnotatedMoment(_Strict):
    """One annotated moment of a screen recording."""

    timestamp: Annotated[str, AfterValidator(_check_timestamp)]
    """Since the start of the main tasks, HH:MM:SS."""
    event_type: EventType
    """What happened."""
    task_id: Literal["1", "2"]
    """The task that the annotator noted."""
    description: str
    """Free text; for an error its message."""
    codes: tuple[str, ...] = Field(strict=False)
    """Labels as written, typing errors included."""
    query: str | None = None
    """The participant's message; on `ai_query` only."""

    @property
    def seconds(self) -> int:
        """Seconds since the start of the main tasks, as recorded."""
        hours, minutes, seconds = (int(part) for part in self.timestamp.split(":"))
        return 3600 * hours + 60 * minutes + seconds


class Summary(_Strict):
    """The annotator's totals."""

    task1_total_time: Minutes
    """Minutes."""
    task1_active_time: Minutes
    """Minutes of active coding."""
    task1_complete: bool
    task2_total_time: Minutes
    """Minutes."""
    task2_active_time: Minutes
    """Minutes of active coding."""
    task2_complete: bool


class Transcript(_Strict):
    """One participant."""

    pid: Annotated[int, Field(ge=1, le=1_000_000)]
    condition: Literal["AI", "No-AI"]
    main_task_minutes: Minutes
    """Minutes on the two tasks together."""
    warmup_task_minutes: Minutes
    """Minutes on the warm-up task."""
    main_task_observations: tuple[AnnotatedMoment, ...] = Field(strict=False)
    summary: Summary


def read_transcripts(folder: Path) -> tuple[Transcript, ...]:
    """Return every `*.json` of a folder, by participant number.

    Raises:
        ProblemsFound: one line per problem of any file: no file at all, not JSON, a field missing, unknown or of the
            wrong type, an unknown code, a query where none may be, a participant number twice.
    """
    paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not paths:
        raise ProblemsFound([Problem(str(folder), "", "holds no *.json file", "name the folder of the transcripts")])
    problems: list[Problem] = []
    transcripts: dict[int, tuple[str, Transcript]] = {}
    for path in paths:
        found = list(_read(path))
        problems += [entry for entry in found if isinstance(entry, Problem)]
        for transcript in (entry for entry in found if isinstance(entry, Transcript)):
            if transcript.pid in transcripts:
                other = transcripts[transcript.pid][0]
                problems.append(
                    Problem(path.name, "pid", f"{transcript.pid} is also in {other}", "keep one of the two")
                )
            transcripts[transcript.pid] = (path.name, transcript)
    if problems:
        raise ProblemsFound(problems)
    return tuple(transcripts[pid][1] for pid in sorted(transcripts))


def _read(path: Path) -> Iterator[Problem | Transcript]:
    """Yield the problems of one file, then (without any) its transcript."""
    try:
        text = decode_text(path.read_bytes(), path.name)
        content = json.loads(text, object_pairs_hook=_once)
    except OSError as error:
        yield Problem(path.name, "", f"cannot be read ({error.strerror})", "restore the file as published")
        return
    except RecursionError:
        yield Problem(path.name, "", "is nested too deeply", "restore the file as published")
        return
    except _Twice as error:
        yield Problem(path.name, str(error), "stands twice in one object", "keep one of the two")
        return
    except ProblemsFound as error:
        yield from error.problems
        return
    except json.JSONDecodeError as error:
        yield Problem(path.name, f"line {error.lineno}", f"is not JSON ({error.msg})", "restore the file as published")
        return
    except ValueError:  # Python reads no number of more than 4,300 digits
        yield Problem(path.name, "", "holds a number of thousands of digits", "restore the file as published")
        return
    if not isinstance(content, dict):
        yield Problem(path.name, "", f"is a JSON {type(content).__name__}, not an object", "restore the file")
        return
    try:
        transcript = Transcript.model_validate(content)
    except ValidationError as error:
        yield from (_problem(path.name, dict(detail)) for detail in error.errors())
        return
    if _SURROGATE.search("".join(_texts(transcript))):
        yield Problem(path.name, "", "holds half a character (a lone surrogate)", "restore the file as published")
        return
    found = list(_content_problems(path.name, transcript))
    if found:
        yield from found
    else:
        yield transcript


class _Twice(Exception):
    """A key stands twice in one JSON object."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; where a key comes twice, Python would silently keep the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Twice(next(key for key in keys if keys.count(key) > 1))
    return found


def _texts(transcript: Transcript) -> Iterator[str]:
    """Yield what people wrote in it."""
    for observation in transcript.main_task_observations:
        yield from (observation.description, observation.query or "", *observation.codes)


def _problem(file: str, detail: dict[str, object]) -> Problem:
    """Return a pydantic error in our own words."""
    location = detail["loc"]
    key = ".".join(str(part) for part in location) if isinstance(location, tuple) else ""
    kind, value = str(detail["type"]), detail.get("input")
    if kind == "extra_forbidden":
        return Problem(file, key, "is a field that the transcripts do not have", _FIELDS_OF_EVERY_FILE)
    if kind == "missing":
        return Problem(file, key, "is missing", "add it")
    what = f"{value!r:.80} is not allowed ({detail['msg']})"
    return Problem(file, key, what, "correct it")


def _content_problems(file: str, transcript: Transcript) -> Iterator[Problem]:
    """Yield what the types do not say: known codes, a query exactly where one belongs."""
    known = {*CODES, *CODE_SPELLINGS}
    if not transcript.main_task_observations:
        yield Problem(file, "main_task_observations", "is empty", "restore the file as published")
    for index, observation in enumerate(transcript.main_task_observations):
        key = f"main_task_observations.{index}"
        for code in observation.codes:
            if code not in known:
                yield Problem(file, f"{key}.codes", f"{code!r} is an unknown code", f"use one of {', '.join(CODES)}")
        if (observation.event_type == "ai_query") != (observation.query is not None):
            what = "is missing on an ai_query" if observation.query is None else f"stands on a {observation.event_type}"
            yield Problem(file, f"{key}.query", what, "a query belongs on ai_query and nowhere else")
