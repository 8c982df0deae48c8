"""`study pool`: datasets of several sites as one, with the site in every row and each dataset kept whole.

Ids begin with their site, events are numbered anew, and a stratum is one of its site; nothing else of a row changes.
Nothing comes from the clock: the same datasets give the same bytes.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from study_app import __version__
from study_app.dataset.border.folders import bounded_text
from study_app.dataset.pooling.citation import cited_pool
from study_app.dataset.pooling.differences import differences
from study_app.dataset.pooling.merged import cell_of, pooled_schema, rows_of
from study_app.dataset.pooling.sites import Site, opened, tables_in
from study_app.dataset.schema import SCHEMA, TableName, TableSchema, codebook
from study_app.dataset.schema.file_names import table_path
from study_app.dataset.writing.citation import Cited, citation_cff, datacite
from study_app.dataset.writing.documents import (
    CODEBOOK_INTRODUCTION,
    description,
    directory_metadata,
    psychds_ignore,
    sidecar,
    yaml,
)
from study_app.dataset.writing.files import keep_private, sha256_of, whole_directory, write_json
from study_app.dataset.writing.manifest import file_entries
from study_app.dataset.writing.packages import TableFile, croissant, datapackage
from study_app.dataset.writing.readme_parts import citing, reading
from study_app.dataset.writing.shipped import shipped

SITES = "sites"
"""The folder of the datasets as they were given."""


@dataclass(frozen=True)
class PoolSummary:
    """What was written."""

    path: Path
    sites: Mapping[str, int]
    """Site -> participants."""
    rows: Mapping[str, int]
    """By table."""
    notes: tuple[str, ...]
    """What differs between the sites and was carried."""

    def lines(self) -> list[str]:
        """For people."""
        sites = ", ".join(f"{name} {count}" for name, count in self.sites.items())
        rows = ", ".join(f"{count} {table}" for table, count in self.rows.items())
        return [f"{self.path}: {sites} participants; {rows}", *(f"note: {note}" for note in self.notes)]

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "path": str(self.path),
            "sites": dict(self.sites),
            "rows": dict(self.rows),
            "notes": list(self.notes),
        }


def pool(given: Sequence[str], out: Path) -> PoolSummary:
    """Write the pool of these datasets.

    Args:
        given: folders of datasets, each with the name of its site before it where that is not the folder's
            (`north=data/export`).
        out: a new or empty folder, or an earlier pool, which is replaced at the end.

    Raises:
        ProblemsFound: they cannot be pooled; all reasons at once.
        UserError: there is no dataset, or `out` cannot be taken.
        InfrastructureError: the disk is full.
    """
    sites = opened(given)
    with whole_directory(Path(out)) as folder:
        summary = _Pool(sites, folder, Path(out)).write()
        if sites[0].manifest.get("identified"):
            keep_private(folder)
        return summary


class _Pool:
    """One pool while it is written."""

    def __init__(self, sites: Sequence[Site], folder: Path, out: Path) -> None:
        self.sites, self.folder, self.out = sites, folder, out
        self.tables = {name: pooled_schema(name, sites) for name in tables_in(sites)}
        self.study_id = "pool"
        self._events = count(1)

    def write(self) -> PoolSummary:
        rows: dict[str, int] = {name: self._table(table) for name, table in self.tables.items()}
        for site in self.sites:
            shutil.copytree(site.path, self.folder / SITES / site.name)
        notes = tuple(differences(self.sites))
        self._documents(notes)
        people = {site.name: len(site.people) for site in self.sites}
        self._manifest(rows, people, notes)
        return PoolSummary(self.out, people, rows, notes)

    def _path(self, table: str) -> str:
        return table_path(self.study_id, table, "csv")

    # -- tables --------------------------------------------------------------------------------------------------------

    def _table(self, table: TableSchema) -> int:
        target = self.folder / self._path(table.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        number = 0
        with target.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle, lineterminator="\r\n")
            writer.writerow(table.names)
            for site in self.sites:
                for row in self._rows(site, table):
                    writer.writerow(row)
                    number += 1
        return number

    def _rows(self, site: Site, table: TableSchema) -> Iterator[list[str]]:
        if table.name not in site.dataset.files:
            return
        for row in rows_of(site, table.name):
            yield [self._cell(site, table.name, name, row) for name in table.names]

    def _cell(self, site: Site, table: TableName, name: str, row: Mapping[str, str]) -> str:
        return str(next(self._events)) if name == "event_id" else cell_of(site, table, name, row.get(name, ""))

    # -- what accompanies them -----------------------------------------------------------------------------------------

    def _documents(self, notes: Sequence[str]) -> None:
        first = self.sites[0]
        title = f"{first.study.title}, {len(self.sites)} sites"
        cited = cited_pool(self.sites, self.study_id, title)
        self._described(cited)
        for name, table in self.tables.items():
            target = self.folder / self._path(name).replace(".csv", ".json")
            write_json(target, sidecar(table, self._path(name), (), guarded=True))
        self._text("documentation/codebook.md", codebook(list(self.tables.values()), CODEBOOK_INTRODUCTION))
        study = first.path / "materials" / "study.json"
        if study.is_file():
            self._text("materials/study.json", bounded_text(study))
        self._text("README.md", _readme(cited, self.sites, notes, self.tables))
        self._text("CHANGES.md", _changes(self.sites))
        self._text(".psychds-ignore", psychds_ignore(f"{SITES}/"))
        for script in ("read.py", "read.R"):
            (self.folder / script).write_bytes(shipped(script))

    def _described(self, cited: Cited) -> None:
        """Write the pool as a whole, for archives and for other tools."""
        paths = {name: self._path(name) for name in self.tables}
        files = {
            name: TableFile(self.tables[name], path, sha256_of(self.folder / path), (self.folder / path).stat().st_size)
            for name, path in paths.items()
        }
        write_json(self.folder / "dataset_description.json", description(cited, self.tables))
        write_json(self.folder / "data" / "file_metadata.json", directory_metadata(cited))
        public = any("public" in site.manifest for site in self.sites)
        write_json(self.folder / "datapackage.json", datapackage(cited, files, public=public))
        write_json(self.folder / "croissant.json", croissant(cited, files))
        write_json(self.folder / "documentation/datacite.json", datacite(cited))
        self._text("CITATION.cff", yaml(citation_cff(cited)) + "\n")

    def _text(self, path: str, content: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")

    def _public(self) -> dict[str, Any]:
        """Return what holds for public datasets of all sites: the least k, and the values that any of them left."""
        methods: dict[str, list[str]] = {}
        for site in self.sites:
            for name, entry in site.manifest["public"]["recoded"].items():
                methods.setdefault(name, []).append(f"{site.name}: {entry.get('method')}")
        levels = {column.name: list(column.levels) for column in self.tables["participants"].columns}
        recoded = {name: {"levels": levels.get(name, []), "method": "; ".join(how)} for name, how in methods.items()}
        return {"k": min(site.manifest["public"]["k"] for site in self.sites), "recoded": recoded}

    def _manifest(self, rows: Mapping[str, int], people: Mapping[str, int], notes: Sequence[str]) -> None:
        first = self.sites[0].manifest
        tables = {
            self._path(name): {"sha256": sha256_of(self.folder / self._path(name)), "rows": number}
            for name, number in rows.items()
        }
        present = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        others = {path.relative_to(self.folder).as_posix(): {"sha256": sha256_of(path)} for path in present}
        manifest = {
            "study_id": self.study_id,
            "study_hash": first.get("study_hash"),
            "state": first.get("state"),
            "package_version": __version__,
            "exported_at": max(str(site.manifest.get("exported_at", "")) for site in self.sites),
            "files": file_entries(tables),
            "other_files": file_entries({name: facts for name, facts in others.items() if name not in tables}),
            "schema": SCHEMA,
            "coding": first.get("coding"),
            "kinds": sorted({kind for site in self.sites for kind in site.dataset.kinds}),
            "identified": bool(first.get("identified")),
            **({"public": self._public()} if "public" in first else {}),
            "masked": False,
            "withheld": {},
            "columns": {name: list(table.names) for name, table in self.tables.items()},
            "versions": [entry for site in reversed(self.sites) for entry in _versions(site)],
            "pool": {
                "sites": [
                    {
                        "site": site.name,
                        "study_id": site.study_id,
                        "study_hash": site.manifest.get("study_hash"),
                        "dataset": f"{SITES}/{site.name}",
                        "manifest_sha256": sha256_of(site.path / "manifest.json"),
                        "participants": people[site.name],
                    }
                    for site in self.sites
                ],
                "plans_differ": len({site.plan for site in self.sites}) > 1,
                "notes": list(notes),
            },
            "warnings": list(notes),
        }
        write_json(self.folder / "manifest.json", manifest)


def _versions(site: Site) -> Iterator[dict[str, Any]]:
    """Yield the versions of a site's study, whose files are in its dataset."""
    for entry in site.dataset.listed("versions"):
        yield entry | {"file": f"{SITES}/{site.name}/{entry.get('file')}"}


def _changes(sites: Sequence[Site]) -> str:
    """CHANGES.md: of which exports the pool is; what changed in each, its own file says."""
    lines = [f"- pooled by study-app {__version__} from these datasets, each with its own CHANGES.md"]
    for site in sites:
        made = (
            f"exported {site.manifest.get('exported_at', '')} by study-app {site.manifest.get('package_version', '')}"
        )
        lines.append(
            f"- `{SITES}/{site.name}`: {made}, SHA-256 of its manifest {sha256_of(site.path / 'manifest.json')}"
        )
    return "# Changes\n\n" + "\n".join(lines) + "\n"


def _readme(cited: Cited, sites: Sequence[Site], notes: Sequence[str], tables: Mapping[TableName, TableSchema]) -> str:
    listed = "\n".join(f"- `{SITES}/{site.name}`: study `{site.study_id}`, {len(site.people)} people" for site in sites)
    kept = "\n".join(f"- {note}" for note in notes)
    names = ", ".join(f"`{name}`" for name in tables)
    parts = [
        f"# {cited.study.title}",
        "One dataset made by `study pool` of these, which are in it as they were given, each with its ledger, its "
        f"registration and its materials:\n\n{listed}",
        f"The tables {names} in `data/` hold the rows of all of them. `site` and `study_id` say whose a row is; ids "
        "begin with the site, events are numbered anew, and `participants.stratum` begins with the site. A column that "
        "a site does not have is empty there.",
        "`documentation/codebook.md` explains every column. What participants met, how columns are derived and what "
        "each kind of event holds is in `materials/` and `documentation/` of each site.",
        "`study analyze` compares people within sites and runs each site's allocation again within its own ledger; "
        "`tables/meta_analysis.csv` has effect size, standard error and n of each site. `study verify` checks every "
        "dataset of the pool.",
        f"What differs between the sites:\n\n{kept}" if kept else "",
        "What this copy still says about people, each site's README says: it holds no less than they do.",
        f"## Reading it\n\n{reading('csv', {})}",
        f"## Citing it\n\n{citing(cited)}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
