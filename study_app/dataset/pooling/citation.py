"""How a pool is cited: by the authors of its sites, on the terms that all of them share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from study_app.dataset.border.folders import text_in
from study_app.dataset.pooling.sites import Site
from study_app.dataset.schema import parsed_json
from study_app.dataset.writing.citation import Cited
from study_app.domain.study.release import DatasetAuthor, Release


def cited_pool(sites: Sequence[Site], study_id: str, title: str) -> Cited:
    """Return what a citation of the pool names; its date is that of the newest export."""
    described = [_json(site, "dataset_description.json") for site in sites]
    said = f"Pool of {', '.join(site.name for site in sites)}"
    study = sites[0].study.model_copy(update={"id": study_id, "title": title, "description": said, "researchers": ""})
    authors = {author.name: author for each in described for author in _authors(each)}
    release = Release(authors=tuple(authors.values()), license=_shared_license(sites))
    exported_on = max(str(site.manifest.get("exported_at", "")) for site in sites)[:10]
    return Cited(study, release, exported_on, _collected(described))


def _json(site: Site, name: str) -> Mapping[str, Any]:
    """Return a description that a site brings; empty where an earlier version wrote none."""
    try:
        found = parsed_json(text_in(site.path, name))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _authors(described: Mapping[str, Any]) -> Iterator[DatasetAuthor]:
    for author in described.get("author", ()):
        affiliation = author.get("affiliation", {}).get("name", "")
        try:
            yield DatasetAuthor(name=author["name"], orcid=author.get("identifier", ""), affiliation=affiliation)
        except ValidationError:
            yield DatasetAuthor(name=author["name"])


def _shared_license(sites: Sequence[Site]) -> str:
    """Return the licence of all sites; without one that all have, the pool names none."""
    packages = [_json(site, "datapackage.json").get("licenses", []) for site in sites]
    found = {str(each.get("name") or each.get("path", "")) for package in packages for each in package[:1] or [{}]}
    return found.pop() if len(found) == 1 else ""


def _collected(described: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
    spans = [str(each["temporalCoverage"]).split("/") for each in described if each.get("temporalCoverage")]
    return (min(span[0] for span in spans), max(span[-1] for span in spans)) if spans else None
