"""What differs between two versions of a study, key by key, as a person reads it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LONG = 60
"""Characters from which two texts are compared line by line."""


@dataclass(frozen=True)
class StudyChange:
    """One key, or one file, that differs."""

    key: str
    """`stages.quiz.minutes`, with ids where tables have them; or `file tasks/timer/brief.md`."""
    before: str | None
    """None where it was not there."""
    after: str | None

    def lines(self) -> list[str]:
        """Return the change in lines: `key: 20 -> 25`, or the key and, below it, the lines that went and came."""
        if self.before is None:
            return [f"{self.key}: added", *_marked("+", self.after)]
        if self.after is None:
            return [f"{self.key}: removed", *_marked("-", self.before)]
        if max(len(self.before), len(self.after)) <= LONG and "\n" not in self.before + self.after:
            return [f"{self.key}: {self.before or '(empty)'} -> {self.after or '(empty)'}"]
        return [f"{self.key}:", *self.differing()]

    def differing(self) -> list[str]:
        """Return the lines that went, marked `-`, and those that came, marked `+`."""
        compared = difflib.ndiff(_wrapped(self.before or ""), _wrapped(self.after or ""))
        return [f"  {line.rstrip()}" for line in compared if line[:1] in "+-"]


def study_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[StudyChange]:
    """Return what differs between two studies in canonical form, in the order of the newer one.

    Tables with ids are compared by their ids, wherever they stand; that their order changed is its own change.
    """
    return [_change(key, old, new) for key, old, new in _differences("", before, after)]


def material_changes(
    before: Mapping[str, str],
    after: Mapping[str, str],
    texts_before: Mapping[str, str] = {},
    texts_after: Mapping[str, str] = {},
) -> list[StudyChange]:
    """Files that differ between two versions.

    Args:
        before: path -> SHA-256.
        after: as well.
        texts_before: path -> content, of those files that are text and known.
        texts_after: as well.
    """
    found = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old != new:
            known = path in texts_before and path in texts_after
            was = texts_before[path] if known else _digest(old)
            found.append(StudyChange(f"file {path}", was, texts_after[path] if known else _digest(new)))
    return found


def _digest(sha256: str | None) -> str | None:
    return None if sha256 is None else f"SHA-256 {sha256[:12]}"


def _change(key: str, old: Any, new: Any) -> StudyChange:
    return StudyChange(key, _said(old), _said(new))


_ABSENT = object()


def _said(value: Any) -> str | None:
    if value is _ABSENT:
        return None
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2 if _large(value) else None)


def _large(value: Any) -> bool:
    return isinstance(value, dict | list) and len(json.dumps(value)) > LONG


def _differences(key: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _tables(key, old, new)
    elif _identified(old) and _identified(new):
        ids_before, ids_after = [each["id"] for each in old], [each["id"] for each in new]
        yield from _tables(key, {each["id"]: each for each in old}, {each["id"]: each for each in new})
        kept = [name for name in ids_before if name in ids_after]
        if kept != [name for name in ids_after if name in ids_before]:
            yield f"{key} (order)", ", ".join(ids_before), ", ".join(ids_after)
    else:
        yield key, old, new


def _tables(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in [*new, *(name for name in old if name not in new)]:
        yield from _differences(f"{key}.{name}" if key else name, old.get(name, _ABSENT), new.get(name, _ABSENT))


def _identified(value: Any) -> bool:
    """Return whether this is a list of tables with ids, each another."""
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        return False
    ids = [each.get("id") for each in value]
    return all(isinstance(each, str) for each in ids) and len(set(ids)) == len(ids)


def _wrapped(text: str) -> Sequence[str]:
    """Lines; what stands on one long line, sentence by sentence."""
    lines: list[str] = []
    for line in text.splitlines() or [""]:
        lines += line.replace(". ", ".\n").split("\n") if len(line) > 2 * LONG else [line]
    return lines


def _marked(sign: str, text: str | None) -> list[str]:
    lines = (text or "").splitlines()
    return [f"  {sign} {line}" for line in lines[:12]] + ([f"  {sign} ..."] if len(lines) > 12 else [])
