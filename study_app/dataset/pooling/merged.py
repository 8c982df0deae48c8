"""The rows of a site as they stand in a pool: under names that no other site has, in columns that all share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from study_app.dataset.pooling.sites import Site
from study_app.dataset.schema import CLUSTER, Column, TableName, TableSchema, compact_json, parsed_json
from study_app.dataset.schema.columns import code
from study_app.dataset.schema.csv_rows import uneven
from study_app.dataset.schema.tables import IDS
from study_app.domain.errors import UserError

SITE_COLUMNS = (
    code("site", "The site: the dataset in `sites/` that the row is from"),
    code("study_id", "Id of that site's study"),
)
NUMBER = "event_id"
"""Numbered anew over all sites."""
NAMES = frozenset(key[0] for key in IDS.values() if len(key) == 1) - {NUMBER} | {CLUSTER.name}
"""Columns of identifiers, which begin with their site: by what names a row of any table, and so in every table."""
_JUDGED = frozenset(name.removesuffix("_id") for name in NAMES) | {"answer"}
"""Kinds of judged objects that are called by such an identifier; a codebook, or a reply of a model, is of no site."""


def rows_of(site: Site, table: TableName) -> Iterator[dict[str, str]]:
    """Yield the rows of a site's table, cells by column.

    Raises:
        UserError: it is not a whole table.
    """
    file, remedy = site.dataset.files[table], "study verify says more; export the dataset again"
    try:
        raw = site.dataset.raw(table)
        _, header = next(raw, (0, []))
        for number, cells in raw:
            if problem := uneven(header, cells):
                raise UserError(f"{file}: row {number}: {problem}; {remedy}")
            yield dict(zip(header, cells, strict=True))
    except ValueError as error:
        raise UserError(f"{file}: is not a table ({error}); {remedy}") from None


def pooled_schema(name: TableName, sites: Sequence[Site]) -> TableSchema:
    """Return the columns that any site has, the first site's first; values of a column are those of all."""
    found: dict[str, Column] = {}
    tables = [site.dataset.tables[name] for site in sites if name in site.dataset.tables]
    for table in tables:
        for column in table.columns:
            known = found.get(column.name)
            found[column.name] = column if known is None else _both(known, column)
    return replace(tables[0], columns=(*found.values(), *SITE_COLUMNS))


def _both(known: Column, other: Column) -> Column:
    """Return a column that holds what two do; a meaning that both have is the first one's."""
    levels = tuple(dict.fromkeys((*known.levels, *other.levels))) if known.levels and other.levels else ()
    labels = dict(other.labels) | dict(known.labels)
    lows, highs = (known.low, other.low), (known.high, other.high)
    low = min(value for value in lows if value is not None) if None not in lows else None
    high = max(value for value in highs if value is not None) if None not in highs else None
    return replace(known, levels=levels, labels=tuple(labels.items()), low=low, high=high)


def cell_of(site: Site, table: TableName, name: str, cell: str) -> str:
    """Return a cell as the pool has it."""
    if name == "site":
        return site.name
    if name == "study_id":
        return site.study_id
    if table == "participants" and name == "stratum":
        return f"site={site.name}; {cell}" if "=" in cell else f"site={site.name}"
    if not cell:
        return cell
    if name in NAMES:
        return f"{site.name}.{cell}"
    if table == "ratings" and name == "object":
        kind, _, rest = cell.partition(":")
        return f"{kind}:{site.name}.{rest}" if kind in _JUDGED else cell
    # Looked at as a text first: payloads are millions, and few of them name anything.
    if table == "events" and name == "payload" and "_id" in cell:
        return _renamed(cell, site.name)
    return cell


def _renamed(cell: str, site: str) -> str:
    """Return a payload with what it names under its name in the pool."""
    try:
        payload = parsed_json(cell)
    except ValueError:
        return cell
    if not isinstance(payload, dict):
        return cell
    ids = {key: f"{site}.{payload[key]}" for key in NAMES & payload.keys() if isinstance(payload[key], str)}
    return compact_json(payload | ids)
