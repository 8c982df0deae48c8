"""The sentences in which verdicts on programs are given, and an example's verdict in a participant's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from study_app.domain.sentences import Sentences

VERDICTS = Sentences(
    "verdict",
    {
        "raised": "expected {expected}, but {seen} was seen",
        "no_exception": "no exception",
        "result": "expected the result {expected}, but got {seen}",
        "duration": "expected it to take about {expected} s, but it took {seen}",
        "seconds": "{n} s",
        "for_ever": "for ever",
        "no_more_lines_at": "expected the line {line} after {at} s, but no more lines came",
        "no_more_lines": "expected the line {line}, but no more lines came",
        "line_at": "expected the line {line} after {at} s, but got {seen}",
        "line": "expected the line {line}, but got {seen}",
        "moment": "expected {line} after {at} s, but it came after {seen} s",
        "extra_line": "expected no more lines, but got {seen}",
        "not_used_why": "the program does not use {names}: {why}",
        "not_used": "the program does not use {names}",
        "too_long": "the program is longer than {limit} characters",
        "not_python": "the program is not valid Python",
        "too_deep": "the result is nested too deeply to compare",
        "blocks": "other tasks could not go on for {seconds} s: the program blocks the event loop",
        "blocks_twice": "two calls at the same time took {seen} s instead of {expected} s: the program blocks the event loop",
        "busy": "a control process beside the program was served {seconds} s late: the machine was too busy to time it",
        "imitates": "the program imitates the marks by which a call is timed",
        "stopped": "the program was stopped ({why})",
        "ended_early": "the program ended before the call was finished",
        "name_gone": "NameError: name '{name}' is not defined: keep the function's name as the starter has it",
        "cause_in_line": "{error} in line {n}: {message}",
        "too_large": "the result is larger than can be compared ({limit} kB)",
        "ran_abruptly": "The program ended abruptly ({name}): the interpreter itself was stopped.",
        "ran_time": "Stopped: the program was still running after {limit} seconds, the time limit.",
        "ran_cpu": "Stopped: the program used {limit} seconds of computing time, the limit. Is there a loop that never ends?",
        "ran_memory": "The program needed more than {limit} MB of memory, the limit.",
        "ran_output": "Stopped: the program printed more than {limit} bytes; the rest is not shown.",
        "ran_infrastructure": "The server could not run the program; this is not its fault. Please run it again.",
    },
    nested=("expected", "seen"),
)
sentence = VERDICTS


def translated_check(
    check: Mapping[str, Any], texts: Mapping[str, str], figures: Callable[[str], str] = str
) -> dict[str, Any]:
    """Return an example's verdict, as `CheckResult.shown` gives it, in another language.

    Args:
        check: the verdict.
        texts: the texts' table `verdict` of the language.
        figures: says a number as that language writes it.
    """
    message, call, cause = (str(check.get(name, "")) for name in ("message", "call", "cause"))
    head = f"{call}: " if call and message.startswith(f"{call}: ") else ""
    tail = f" ({cause})" if cause and message.endswith(f" ({cause})") else ""
    body = message[len(head) : len(message) - len(tail)]
    said = _translated(cause, texts, figures)
    changed = {"message": f"{head}{_translated(body, texts, figures)}{f' ({said})' if tail else ''}", "cause": said}
    compared = {name: _translated(str(check.get(name, "")), texts, figures) for name in ("expected", "seen")}
    return {**check, **changed} | compared


def _translated(text: str, texts: Mapping[str, str], figures: Callable[[str], str]) -> str:
    found = VERDICTS.translated(text, texts, figures) if text else None
    return text if found is None else found
