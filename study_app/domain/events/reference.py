"""What every kind of event says, for readers: on the page of events and in the codebook of a dataset."""

from __future__ import annotations

from collections.abc import Iterator

from study_app.domain.events.details import EventField, Sender, named_fields
from study_app.domain.events.kinds import KINDS

_HEADINGS: dict[Sender, str] = {"page": "Events of pages", "server": "Events of the server"}


def events_page() -> str:
    """Return documentation/events.md of a dataset."""
    return f"# Events\n\n{_INTRODUCTION}\n\n{event_tables()}\n"


_INTRODUCTION = (
    "What `events.payload` holds, by `events.kind`; `codebook.md` says what the other columns hold. A key that is not "
    "named here came from a page and is read by nothing. A page's word is never believed: what counts is computed from "
    'what the server received. `{"erased": true}` stands for a payload that was erased. In a dataset for everybody '
    "the length of a text stands under its key with `_chars` behind it, in characters."
)


def event_tables(level: int = 2) -> str:
    """Return every kind with the keys of its payload, in Markdown, under headings of a level."""
    marks = "#" * level
    return "\n\n".join(f"{marks} {heading}\n\n" + "\n".join(_rows(sender)) for sender, heading in _HEADINGS.items())


def _rows(sender: Sender) -> Iterator[str]:
    yield "| kind | what happened | payload |"
    yield "| --- | --- | --- |"
    for name, kind in KINDS.items():
        if kind.sender == sender:
            keys = "<br>".join(map(_key, named_fields(kind)))
            yield f"| `{name}` | {' '.join((kind.__doc__ or '').split())} | {keys} |"


def _key(each: EventField) -> str:
    """Return a key with its type and meaning; one that may be missing says so."""
    need = each.type_name if each.required else f"{each.type_name}, optional"
    return f"`{each.key}` ({need})" + (f": {each.words}" if each.words else "")
