"""A dataset as the analysis holds it, and the checks that every source of one shares."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.data.cell_types import Types, typed
from analysis.data.cells import read_cells
from study_app.dataset.schema import Column
from study_app.dataset.schema.cells import unguard
from study_app.domain.editing.edits import apply_event
from study_app.domain.errors import Problem, ProblemsFound, UserError
from study_app.domain.events import details_of
from study_app.domain.events.browser import TextEvent
from study_app.domain.study.study import Study

REQUIRED_COLUMNS = ("participant_id", "arm", "status", "is_simulated", "is_preview")


@dataclass(frozen=True)
class DeclaredArm:
    """An arm as the study file declares it."""

    id: str
    label: str = ""
    weight: int = 1
    assistant: bool = False


@dataclass(frozen=True)
class StudyMeta:
    """What the analysis needs to know of the study file."""

    id: str = ""
    title: str = ""
    description: str = ""
    state: str = "unsealed"
    arms: tuple[DeclaredArm, ...] = ()
    control: str = ""
    file: str = ""
    """The study file inside the dataset, relative."""
    raw: dict[str, Any] = field(default_factory=dict)
    """The study file as read; empty for a plain table."""
    study: Study | None = None
    """The study file as types; None for a plain table, an import, and a file that this version cannot read."""
    coder: str = ""
    """Whose codes of the queries the dataset holds, as its manifest says; empty where it does not."""

    @property
    def plan_table(self) -> dict[str, Any] | None:
        """The [analysis] table, or None where the study file brings none."""
        return self.raw.get("analysis")


class Tables(Mapping[str, pd.DataFrame]):
    """Tables by name; a file is read when its table is first asked for."""

    def __init__(
        self,
        files: Mapping[str, Path],
        ready: Mapping[str, pd.DataFrame] | None = None,
        people: frozenset[str] | None = None,
        types: Types | None = None,
    ) -> None:
        self._types = types or {}
        self._files = dict(sorted(files.items()))
        self._ready = dict(ready or {})
        self._people = people

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._ready:
            table = read_table(self._files[name], self._types.get(name, {}))
            if self._people is not None and "participant_id" in table:
                table = table[table["participant_id"].isin(self._people)].reset_index(drop=True)
            self._ready[name] = table
        return self._ready[name]

    def cells(self, name: str) -> pd.DataFrame:
        """Return a table as its file has it, for those who search a long one without parsing every cell of it."""
        cells = read_cells(self._files[name]) if name in self._files else self._ready[name]
        if self._people is not None and "participant_id" in cells:
            return cells[cells["participant_id"].isin(self._people)].reset_index(drop=True)
        return cells

    def columns(self, name: str) -> Mapping[str, Column]:
        """Return what the columns of a table hold, as far as the schema says; empty for other people's tables."""
        return self._types.get(name, {})

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._files, *self._ready}))

    def __len__(self) -> int:
        return len({*self._files, *self._ready})

    def of(self, participants: pd.DataFrame, withheld: Collection[str] = ()) -> Tables:
        """Return the same tables for these participants only, some withheld."""
        files = {name: path for name, path in self._files.items() if name not in withheld}
        people = frozenset(participants["participant_id"])
        # A table with a file is filtered when it is read, and only if someone asks for it; one made in memory has to
        # be filtered now.
        made = {
            name: table[table["participant_id"].isin(people)].reset_index(drop=True)
            for name, table in self._ready.items()
            if name not in self._files and name not in withheld and "participant_id" in table
        }
        return Tables(files, made | {"participants": participants}, people, self._types)


@dataclass(frozen=True)
class Dataset:
    """One export, or one table collected elsewhere."""

    path: Path
    tables: Tables
    study: StudyMeta
    sha256: str
    """Over the names and bytes of all data files: equal exports have equal values."""
    manifest: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    plain: bool = False
    """A single table with a plan, not an export of study-app."""

    @property
    def participants(self) -> pd.DataFrame:
        """One row for each participant."""
        return self.tables["participants"]

    @property
    def labels(self) -> dict[str, dict[str, str]]:
        """What values of participants' columns mean: column -> value -> label; of a scale its ends."""
        columns = self.tables.columns("participants").values()
        return {column.name: dict(column.meanings) for column in columns if column.meanings}

    def events(self, kind: str | None = None) -> pd.DataFrame:
        """Events in the order of storing, their payloads as objects; of one kind where it is named."""
        rows = self.tables["events"]
        return rows if kind is None else rows[rows["kind"] == kind].reset_index(drop=True)

    def code_at(self, participant: str, moment: pd.Timestamp | str, task: str | None = None) -> dict[str, str]:
        """Return the programs of a participant as they stood in the editor at a moment, by task.

        Args:
            participant: participant_id.
            moment: by the server's clock; text is read as ISO 8601, in UTC where it names no zone.
            task: only this task pack.

        Raises:
            UserError: there is no such participant in the log.
            ReplayMismatch: the log lacks an edit.
        """
        rows = self.tables["events"]
        own = rows[(rows["participant_id"] == participant) & rows["kind"].isin(["load", "edit"])]
        if own.empty:
            raise UserError(f"{self.path}: events: '{participant}' has no loads or edits; give a participant_id")
        at = pd.Timestamp(moment)
        at = at.tz_localize("UTC") if at.tzinfo is None else at
        return dict(_texts(own[own["server_time"] <= at], task))


def _texts(rows: pd.DataFrame, task: str | None) -> Iterator[tuple[str, str]]:
    """Yield the text of each task on the page that touched it last; each page has its own text."""
    texts: dict[tuple[str, str], str | None] = {}
    last: dict[str, tuple[str, str]] = {}
    for page, kind, payload in zip(rows["page"], rows["kind"], rows["payload"], strict=True):
        details = details_of(kind, payload)
        about = details.task if isinstance(details, TextEvent) else None
        if about is not None and (task is None or about == task):
            last[about] = (str(page), about)
            texts[last[about]] = apply_event(texts.get(last[about]), details)
    yield from ((about, text) for about, key in last.items() if (text := texts[key]) is not None)


def by_content(column: pd.Series) -> pd.Series:
    """Return a column of which nothing is known: numbers where every cell is one, else text."""
    numbers = pd.to_numeric(column, errors="coerce")
    if not (column.notna() & numbers.isna()).any():
        return numbers.astype(float)
    return column.astype(object).where(column.notna(), None)


def check_participants(table: pd.DataFrame, file: str, required: tuple[str, ...]) -> None:
    """Refuse a table without the required columns, or with empty or repeated ids.

    Raises:
        ProblemsFound: all of it at once.
    """
    problems = [
        Problem(file, f"column {name}", "the column is missing", "export again, or name it under [analysis.columns]")
        for name in required
        if name not in table.columns
    ]
    if "participant_id" in table.columns:
        ids = table["participant_id"]
        for row in [int(i) for i in ids.isna().to_numpy().nonzero()[0][:5]]:
            problems.append(Problem(file, f"row {row + 2}, column participant_id", "the cell is empty", "give the id"))
        twice = ids[ids.notna() & ids.duplicated()]
        for row, value in list(zip(twice.index, twice, strict=True))[:20]:
            key = f"row {int(row) + 2}, column participant_id"
            problems.append(Problem(file, key, f"'{value}' comes twice", "keep one row for each participant"))
    if problems:
        raise ProblemsFound(problems)


def read_table(path: Path, types: Mapping[str, Column] | None = None) -> pd.DataFrame:
    """Return one CSV or Parquet file; columns of numbers become float64, text stays text, empty cells are missing.

    Args:
        path: the file.
        types: of a dataset, what its columns hold by the schema of an export; a column without one is a number where
            all its cells are, else text. None for a table of no dataset, whose text has no guard.

    Raises:
        UserError: the file cannot be read as a table.
        ProblemsFound: rows without the header's cells; cells that do not hold what their columns hold.
    """
    raw = read_cells(path)
    problems: list[Problem] = []
    known = types or {}
    # Only CSV is read by spreadsheets, so only there do texts bear a guard against formulas.
    guarded = types is not None and path.suffix == ".csv"
    columns: dict[str, pd.Series] = {}
    for name in map(str, raw.columns):
        column = known.get(name)
        if column is None:
            cells = by_content(raw[name])
            is_text = guarded and cells.dtype == object
            unguarded = cells.map(unguard, na_action="ignore") if is_text else cells
            columns[name] = unguarded.astype(object).where(cells.notna(), None) if is_text else cells
        else:
            columns[name] = typed(raw[name], column, path.name, problems)
    if problems:
        raise ProblemsFound(problems)
    return pd.DataFrame(columns, index=raw.index).reset_index(drop=True)
