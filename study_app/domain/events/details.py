"""What an event says, as a type: one frozen dataclass for each kind, from which everything else about kinds follows.

A class names its kind, and each field the key under which it stands in the stored payload. From that come the shapes
that are checked when events arrive, the reading of stored payloads, what is written, and the page of events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from types import UnionType
from typing import Any, ClassVar, Literal, Self, get_args, get_origin, get_type_hints

from study_app.domain.events.changes import Change, ReplayMismatch

Sender = Literal["page", "server"]
Holds = Literal["", "id", "page", "hash", "moment", "private"]
"""What a text is beside words: an id of the study or of the person's own runs and turns, the name of a browser's page,
a hash by which a guess could be tested, or (of any type) what a dataset for everybody leaves out."""


class MalformedDetails(ValueError):
    """A payload is not one of its kind of event; the message says what is wrong."""


def described(
    words: str = "",
    *,
    key: str = "",
    default: Any = MISSING,
    along: str = "",
    levels: tuple[str, ...] = (),
    holds: Holds = "",
) -> Any:
    """Declare a field of an event.

    Args:
        words: what it says, for the page of events; empty where its name says all.
        levels: the words of the platform that may stand there; a page may send others.
        holds: what a text is; from this and the type follows what a dataset for everybody shows of it.
        key: the key of the payload, where a word of Python or of this class stands in its way.
        default: what a payload without it means; without a default the payload must have it.
        along: the field that decides whether this one is written: it is where that one is not None. A page leaves out
            what is None in any case.
    """
    listed = [*levels[:-2], " or ".join(levels[-2:])] if levels else []
    said = "; ".join(part for part in (", ".join(listed), words) if part)
    return field(
        default=default, metadata={"words": said, "key": key, "along": along, "levels": levels, "holds": holds}
    )


@dataclass(frozen=True)
class EventField:
    """One field of a kind of event."""

    name: str
    key: str
    words: str
    along: str
    levels: tuple[str, ...]
    holds: Holds
    type_name: str
    """In a reader's words."""
    accepts: tuple[type, ...]
    """Types of JSON; empty for any."""
    convert: Callable[[Any], Any] | None
    default: Any
    required: bool

    @property
    def is_words(self) -> bool:
        """Whether what people or programs said can stand there."""
        numbers = bool(self.accepts) and set(self.accepts) <= {int, float, bool}
        return not numbers and not self.levels and self.holds in ("", "private")


@dataclass(frozen=True)
class EventDetails:
    """The base of all kinds."""

    kind: ClassVar[str] = ""
    sender: ClassVar[Sender] = "server"
    shows_activity: ClassVar[bool] = False
    """Whether it shows a participant doing something, for active time."""

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Return the details in a payload; keys that the kind does not have are left alone.

        Raises:
            MalformedDetails: it is not of this kind's shape.
        """
        values = {}
        given = payload.get
        # As a row and not by its names: an export reads millions of events.
        for each, name, key, accepts, convert, default, required in _PLANS.get(cls) or _plan_of(cls):
            value = given(key)
            if value is None:
                if required:
                    raise MalformedDetails(_missing(each))
                value = default
            elif accepts:
                if type(value) not in accepts and not _is_one_of(value, accepts):
                    raise MalformedDetails(_missing(each) if required else f"'{key}' is of the wrong type")
                if convert is not None:
                    value = convert(value)
            values[name] = value
        # Every edit of every page passes here, and the initialiser of a frozen dataclass takes longer than all of this.
        made = object.__new__(cls)
        made.__dict__.update(values)
        made.check()
        return made

    def check(self) -> None:
        """Refuse what the types of the fields do not show; a kind with such a rule overrides it.

        Raises:
            MalformedDetails: the rule is broken.
        """

    @classmethod
    def has_words(cls) -> bool:
        """Whether a field can hold what people or programs said, beside ids, moments and the platform's own words."""
        return any(each.is_words for each in named_fields(cls))

    def payload(self) -> dict[str, Any]:
        """Return the payload that is stored."""
        found = {}
        for each in named_fields(type(self)):
            value = getattr(self, each.name)
            decides = getattr(self, each.along) if each.along else value
            if decides is not None or (self.sender == "server" and not each.along):
                found[each.key] = _as_json(value)
        return found


_FIELDS: dict[type, tuple[EventField, ...]] = {}


def named_fields(kind: type[EventDetails]) -> tuple[EventField, ...]:
    """Return the fields of a kind, in the order in which the page of events names them."""
    found = _FIELDS.get(kind)
    if found is None:
        found = _FIELDS[kind] = tuple(_named(kind))
    return found


_PLANS: dict[type, tuple[tuple[Any, ...], ...]] = {}


def _plan_of(kind: type[EventDetails]) -> tuple[tuple[Any, ...], ...]:
    """Return each field with what reading it needs."""
    plan = tuple((e, e.name, e.key, e.accepts, e.convert, e.default, e.required) for e in named_fields(kind))
    return _PLANS.setdefault(kind, plan)


def _named(kind: type[EventDetails]) -> Iterator[EventField]:
    hints = get_type_hints(kind)
    yield from (
        EventField(
            each.name,
            each.metadata["key"] or each.name,
            each.metadata["words"],
            each.metadata["along"],
            each.metadata["levels"],
            each.metadata["holds"],
            *_reading(hints[each.name]),
            default=None if each.default is MISSING else each.default,
            required=each.default is MISSING and type(None) not in get_args(hints[each.name]),
        )
        for each in fields(kind)
    )


def _changes(raw: list[Any]) -> tuple[Change, ...]:
    try:
        return tuple(map(Change.parse, raw))
    except ReplayMismatch as error:
        raise MalformedDetails(str(error)) from None


def _texts(raw: list[Any]) -> tuple[str, ...]:
    if not all(isinstance(each, str) for each in raw):
        raise MalformedDetails("a list of texts holds something else")
    return tuple(raw)


_READINGS: Mapping[Any, tuple[str, tuple[type, ...], Callable[[Any], Any] | None]] = {
    str: ("text", (str,), None),
    int: ("whole number", (int,), None),
    float: ("number", (float, int), None),
    bool: ("true or false", (bool,), None),
    tuple[Change, ...]: ("list of changes", (list,), _changes),
    tuple[str, ...]: ("list of texts", (list, tuple), _texts),
    Mapping[str, Any]: ("object", (dict,), None),
    Any: ("any", (), None),
}
"""Type of a field -> its name, what of JSON is taken for it, and how that is made into it."""


def _reading(hint: Any) -> tuple[str, tuple[type, ...], Callable[[Any], Any] | None]:
    if isinstance(hint, UnionType):
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    # Words of the platform are read as any text: a log may hold those of another version.
    return _READINGS[str if get_origin(hint) is Literal else hint]


def _is_one_of(value: Any, accepts: tuple[type, ...]) -> bool:
    """Return whether a value of a subclass will do; True and False do not count as numbers."""
    return isinstance(value, accepts) and not isinstance(value, bool)


def _missing(each: EventField) -> str:
    if each.type_name == "list of changes":
        return "an edit without changes"
    return f"'{each.key}' is not a {each.type_name}"


def _as_json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [each.as_json() if isinstance(each, Change) else each for each in value]
    return dict(value) if isinstance(value, Mapping) else value


@dataclass(frozen=True)
class Unreadable(EventDetails):
    """A stored payload that is not one of its kind: altered, or written before its shape was checked."""

    problem: str = ""


@dataclass(frozen=True)
class Erased(EventDetails):
    """The payload was erased, and its event stays."""


@dataclass(frozen=True)
class Unknown(EventDetails):
    """Of a kind that this version does not know."""
