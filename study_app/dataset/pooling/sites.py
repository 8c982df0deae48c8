"""The datasets that are to be pooled, and what keeps them from it."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from study_app.dataset.border.folders import entries_in
from study_app.dataset.findings import VerifyReport
from study_app.dataset.reading.dataset import UntrustedDataset, open_dataset
from study_app.dataset.schema import SCHEMA, TABLES, Column, TableName
from study_app.domain.errors import Problem, ProblemsFound, UserError
from study_app.domain.study.study import Study, canonical_json

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
"""Of a site: it begins ids, files and categories."""


@dataclass(frozen=True)
class Site:
    """One dataset of a pool."""

    name: str
    dataset: UntrustedDataset

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.dataset.path

    @property
    def manifest(self) -> dict[str, Any]:
        """Its manifest."""
        return self.dataset.manifest

    @property
    def study_id(self) -> str:
        """Id of its study."""
        return str(self.manifest.get("study_id", ""))

    @cached_property
    def study(self) -> Study:
        """The version in force."""
        return next(iter(self.dataset.studies.values()))

    @property
    def plan(self) -> str:
        """The analysis plan, so that two can be compared."""
        return canonical_json(self.study.analysis.model_dump(mode="json"))

    @cached_property
    def people(self) -> frozenset[str]:
        """Ids of its participants."""
        return frozenset(str(row["participant_id"]) for row in self.dataset.rows("participants"))


def opened(given: Sequence[str]) -> list[Site]:
    """Open datasets that can be pooled; each is a folder, or NAME=FOLDER to name its site.

    Raises:
        ProblemsFound: they cannot be; all reasons at once.
        UserError: there is no dataset at a path, or fewer than two are named.
    """
    if len(given) < 2:
        raise UserError("study pool: one dataset is not enough; name two or more")
    sites = [_site(each) for each in given]
    problems = [*_names(sites), *(problem for site in sites for problem in _alone(site))]
    if not problems:
        problems = list(_together(sites))
    if problems:
        raise ProblemsFound(problems)
    return sites


def _site(given: str) -> Site:
    name, named, folder = given.partition("=")
    path = Path(folder if named and NAME.fullmatch(name) else given)
    return Site(
        name if path == Path(folder) and named else path.resolve().name, open_dataset(path, VerifyReport(str(path)))
    )


def _names(sites: Sequence[Site]) -> Iterator[Problem]:
    paths: dict[str, list[str]] = defaultdict(list)
    for site in sites:
        paths[site.name.lower()].append(str(site.path))
        if not NAME.fullmatch(site.name):
            what = f"'{site.name}' cannot name a site (letters, digits, _ and -, a letter first)"
            yield Problem(str(site.path), "site", what, f"name it, as in north={site.path}")
    for name, found in paths.items():
        if len(found) > 1:
            what = f"{len(found)} sites are called '{name}' ({', '.join(found)})"
            yield Problem(found[-1], "site", what, f"name them apart, as in north={found[0]} south={found[-1]}")


def _alone(site: Site) -> Iterator[Problem]:
    """Yield what keeps a dataset from any pool."""
    manifest, path = site.manifest, str(site.path)
    if not manifest or "participants" not in site.dataset.files:
        yield Problem(path, "manifest.json", "is not a dataset of study-app that can be read", "export it again")
        return
    if not site.dataset.own or not site.dataset.studies:
        yield Problem(path, "materials", "has no study file, so its plan and arms are not known", "leave it out")
        return
    if "pool" in manifest:
        yield Problem(path, "manifest.json", "is a pool itself", "name its sites' datasets instead")
    for entry in islice((each for each in entries_in(site.path) if not _copied(each)), 5):
        yield Problem(entry.path, "", "is a link or a device, which no export writes", "take it out")
    if manifest.get("schema") != SCHEMA:
        what = f"has the layout {manifest.get('schema')!r}, and this version of study-app has {SCHEMA!r}"
        yield Problem(path, "schema", what, "export it again with this version")
    if not _says_what_was_coarsened(manifest.get("public", {"k": 0, "recoded": {}})):
        yield Problem(path, "public", "does not say what was coarsened, and to how many people", "export it again")
    if site.dataset.state not in ("draft", "unsealed"):
        what = f"is {site.dataset.state}: its arms are masked, and the names of one site's mean nothing at another"
        yield Problem(path, "state", what, "unseal the study and export it again")
    if site.study.analysis.stopping.interim:
        # A pool was never looked at, and the looks of its sites were at other people.
        what = "plans looks before the end, by which its p values are adjusted: a pool knows nothing of them"
        yield Problem(path, "analysis.stopping", what, "analyse such sites one by one")
    if site.study.allocation.method == "sequence":
        yield Problem(
            path, "allocation.method", "gives every person several treatments", "analyse such sites one by one"
        )


def _says_what_was_coarsened(public: Any) -> bool:
    recoded = public.get("recoded") if isinstance(public, dict) else None
    if not isinstance(recoded, dict) or not isinstance(public.get("k"), int):
        return False
    return all(isinstance(entry, dict) for entry in recoded.values())


def _copied(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)


def _together(sites: Sequence[Site]) -> Iterator[Problem]:
    """Yield what keeps these datasets from each other."""
    first = sites[0]
    for other in sites[1:]:
        path = str(other.path)
        for key, what in (("state", "state"), ("identified", "identities"), ("public", "release")):
            mine, theirs = _shown(other, key), _shown(first, key)
            if mine != theirs:
                yield Problem(
                    path, key, f"is {mine}, and {first.name} is {theirs}", f"export both with the same {what}"
                )
        if (arms := _arms(other)) != (expected := _arms(first)):
            yield Problem(
                path, "arms", f"has the arms {arms}, and {first.name} {expected}", "pool trials of the same arms"
            )
        yield from _columns(first, other)
    yield from _twice(sites)


def _shown(site: Site, key: str) -> str:
    value = site.manifest.get(key)
    return str(value) if key == "state" else key if value else f"not {key}"


def _arms(site: Site) -> str:
    names = sorted(arm.id for arm in site.study.arms)
    return f"{', '.join(names)} (control {site.study.control.id})"


def _columns(first: Site, other: Site) -> Iterator[Problem]:
    """Yield columns of one name that hold different things."""
    for name, table in other.dataset.tables.items():
        known = (
            {column.name: column for column in first.dataset.tables[name].columns}
            if name in first.dataset.tables
            else {}
        )
        for column in table.columns:
            theirs = known.get(column.name)
            if theirs is not None and (theirs.type, theirs.unit) != (column.type, column.unit):
                what = f"is {_kind(column)}, and {_kind(theirs)} at {first.name}"
                yield Problem(str(other.path), f"{name}.{column.name}", what, "give one of the questions another id")


def _kind(column: Column) -> str:
    return f"{column.type} ({column.unit})" if column.unit else column.type


def _twice(sites: Sequence[Site]) -> Iterator[Problem]:
    """Yield what is in two of the datasets: the same trial, or the same person."""
    for place, site in enumerate(sites):
        for earlier in sites[:place]:
            shared = site.people & earlier.people
            commitment = site.manifest.get("commitment")
            if site.study_id == earlier.study_id and (
                shared or (commitment and commitment == earlier.manifest.get("commitment"))
            ):
                what = f"is an export of the same trial as {earlier.name} ({len(shared)} participants are in both)"
                yield Problem(str(site.path), "participants", what, "leave one of them out")
    yield from _same_people(sites)


def _same_people(sites: Sequence[Site]) -> Iterator[Problem]:
    """Yield people with the same panel id or label at two sites; known of exports with identities only."""
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for site in sites:
        for row in site.dataset.rows("participants"):
            for key in ("prolific_pid", "label"):
                value = row[key]
                if not value:
                    continue
                who = (site.name, str(row["participant_id"]))
                other = seen.setdefault((key, str(value)), who)
                if other[0] != site.name:
                    what = f"{who[1]} has the same {key} as {other[1]} at {other[0]}: one person took part twice"
                    yield Problem(str(site.path), "participants", what, "exclude one of the two and export again")


def tables_in(sites: Sequence[Site]) -> list[TableName]:
    """Return the tables that any of them has, in the order of exports."""
    return [name for name in TABLES if any(name in site.dataset.files for site in sites)]
