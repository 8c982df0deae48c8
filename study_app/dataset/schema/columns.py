"""What a column of the dataset is: its name, type, unit, range and caption."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

ColumnType = Literal["text", "integer", "number", "boolean", "time", "json"]
TableName = Literal[
    "participants",
    "allocations",
    "visits",
    "events",
    "runs",
    "turns",
    "answers",
    "ratings",
    "compliance",
    "periods",
    "sessions",
    "agent_actions",
    "interviews",
    "interview_turns",
    "probes",
    "model_looks",
    "model_replies",
]
TABLES: tuple[TableName, ...] = get_args(TableName)
"""Every table of an export, in the order in which it is written; `periods` only of a sequence of treatments,
`sessions` only of a study with several, `agent_actions` only of one with an assistant that acts, `interviews` and
`interview_turns` only of one with an interview, `probes` only of one that asks during tasks how people feel,
`model_looks` and `model_replies` only where models were looked at."""


_XML_SCHEMA = "http://www.w3.org/2001/XMLSchema#"
XSD: dict[ColumnType, str] = {
    "text": f"{_XML_SCHEMA}string",
    "integer": f"{_XML_SCHEMA}integer",
    "number": f"{_XML_SCHEMA}double",
    "boolean": f"{_XML_SCHEMA}boolean",
    "time": f"{_XML_SCHEMA}dateTime",
    "json": "https://www.iana.org/assignments/media-types/application/json",
}
"""The address of each type, as sidecars name it."""
Source = Literal["tables", "clocks", "unpublished"]
"""What the cells of a column follow from: other tables alone; moments of browsers, too, which a dataset has to the
millisecond only; or something that a dataset does not bring, such as checks, keys of items, packs and secrets."""

IMPORTED = "not applicable"
"""What the manifest of an import of other data says of allocation; such a dataset has its own layout."""


@dataclass(frozen=True)
class Column:
    """One column."""

    name: str
    type: ColumnType
    caption: str
    unit: str = ""
    levels: tuple[str, ...] = ()
    """The only values that a cell may have; empty: any."""
    labels: tuple[tuple[str, str], ...] = ()
    """What values mean, as participants read it: (value, label) pairs; of a scale its ends."""
    low: float | None = None
    high: float | None = None
    reveals_arm: bool = False
    """Whether its cells can tell an arm: what only some arms can have, or text in which the arm could be read."""
    closed: bool = False
    """Of text and JSON: whether platform, study file or content made it, never a person or their program."""
    about_person: bool = False
    """Whether an answer tells of the person what others may know, so that rare ones could name them."""
    derived_by: Source = "tables"
    """By what `study verify` can derive it again."""
    computed: bool = False
    """Whether an export computes it beside the cells of a stored record; the chain of records is over those alone."""
    of_assistant: bool = False
    """Whether it measures the use of the assistant, so that an arm without one has no choice of value in it."""

    @property
    def free(self) -> bool:
        """Whether a cell may hold whatever a person wrote; what no column says is closed counts as written."""
        return self.type in ("text", "json") and not self.levels and not self.closed

    @property
    def numeric(self) -> bool:
        """Whether cells are numbers; yes and no are 1 and 0."""
        return self.type in ("integer", "number", "boolean")

    @property
    def guarded(self) -> bool:
        """Whether cells are protected against spreadsheets that run formulas."""
        return self.type == "text"

    @property
    def range(self) -> str:
        """Levels, or the range; empty where neither is known."""
        if self.levels:
            return ", ".join(self.levels)
        if self.type == "boolean":
            return "0, 1"
        if self.low is None and self.high is None:
            return ""
        low = "" if self.low is None else f"{self.low:g}"
        high = "" if self.high is None else f"{self.high:g}"
        return f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"

    @property
    def meanings(self) -> tuple[tuple[str, str], ...]:
        """(value, label) pairs; a value without a label is its own."""
        labels = dict(self.labels)
        return tuple((value, labels.get(value, value)) for value in dict.fromkeys((*self.levels, *labels)))

    def property_value(self) -> dict[str, Any]:
        """As schema.org's PropertyValue, for dataset_description.json and the sidecars; legal terms only."""
        entry: dict[str, Any] = {"@type": "PropertyValue", "name": self.name, "description": self.caption}
        entry["additionalType"] = XSD[self.type]
        if self.unit:
            entry["unitText"] = self.unit
        if self.meanings:
            entry["valueReference"] = [
                {"@type": "DefinedTerm", "termCode": value, "name": label} for value, label in self.meanings
            ]
        if self.low is not None:
            entry["minValue"] = self.low
        if self.high is not None:
            entry["maxValue"] = self.high
        return entry


@dataclass(frozen=True)
class TableSchema:
    """One table."""

    name: TableName
    caption: str
    columns: tuple[Column, ...]
    reveals_arm: bool = False
    """Whether the table as a whole can tell an arm from another, by which rows it has and how many."""

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    def revealing(self, *names: str) -> TableSchema:
        """Return the table with these columns marked as telling an arm from another."""
        return replace(self, columns=tuple(replace(c, reveals_arm=c.name in names) for c in self.columns))

    def with_columns(self, *more: Column) -> TableSchema:
        """Return the table with columns at its end."""
        return replace(self, columns=(*self.columns, *more))

    def column(self, name: str) -> Column:
        """Return the column of that name.

        Raises:
            KeyError: there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def revealing(*columns: Column) -> tuple[Column, ...]:
    """Columns that can tell an arm from another."""
    return tuple(replace(column, reveals_arm=True) for column in columns)


def by_clocks(*columns: Column) -> tuple[Column, ...]:
    """Columns of times that follow from the clocks of browsers."""
    return tuple(replace(column, derived_by="clocks") for column in columns)


def computed(*columns: Column) -> tuple[Column, ...]:
    """Columns that an export computes beside those of a stored record."""
    return tuple(replace(column, computed=True) for column in columns)


def unpublished(*columns: Column) -> tuple[Column, ...]:
    """Columns that follow from what a dataset does not bring."""
    return tuple(replace(column, derived_by="unpublished") for column in columns)


def of_assistant(*columns: Column) -> tuple[Column, ...]:
    """Columns that measure the use of the assistant, and so tell an arm from another, too."""
    return tuple(replace(column, of_assistant=True, reveals_arm=True) for column in columns)


def text(name: str, caption: str, *levels: str) -> Column:
    """Return a column of text."""
    return Column(name, "text", caption, levels=levels)


def code(name: str, caption: str, *levels: str) -> Column:
    """Return a column of text that platform, study file or content made, such as an id; see `Column.closed`."""
    return Column(name, "text", caption, levels=levels, closed=True)


def integer(name: str, caption: str, unit: str = "", low: float | None = 0, high: float | None = None) -> Column:
    """Return a column of whole numbers, from 0 up unless said otherwise."""
    return Column(name, "integer", caption, unit, low=low, high=high)


def number(name: str, caption: str, unit: str = "", low: float | None = 0, high: float | None = None) -> Column:
    """Return a column of decimal numbers, from 0 up unless said otherwise."""
    return Column(name, "number", caption, unit, low=low, high=high)


def boolean(name: str, caption: str) -> Column:
    """Return a column of 0 and 1."""
    return Column(name, "boolean", caption)


def time(name: str, caption: str) -> Column:
    """Return a column of moments."""
    return Column(name, "time", caption, "ISO 8601, UTC")


def json_(name: str, caption: str, *, closed: bool = False) -> Column:
    """Return a column of JSON values."""
    return Column(name, "json", caption, closed=closed)
