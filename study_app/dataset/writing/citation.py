"""How a dataset is cited and licensed: authors, CITATION.cff and DataCite's metadata."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from study_app.domain.study.release import DatasetAuthor, Release
from study_app.domain.study.study import Study


@dataclass(frozen=True)
class Cited:
    """What a citation names."""

    study: Study
    release: Release
    """As the study file says it now: a DOI is known only at the end."""
    exported_on: str
    """ISO date."""
    collected: tuple[str, str] | None = None
    """ISO dates of the first entry and the last end; None without participants."""

    @property
    def authors(self) -> tuple[DatasetAuthor, ...]:
        """Those of the release; without any, the names under `researchers`."""
        if self.release.authors:
            return self.release.authors
        # Not at commas: they are within a name with its affiliation.
        names = (name.strip() for name in re.split(r"[;\n]", self.study.researchers))
        return tuple(DatasetAuthor(name=name) for name in names if name)

    @property
    def description(self) -> str:
        """What the study is about, on one line."""
        return " ".join((self.study.description or self.study.title).split())

    @property
    def text(self) -> str:
        """The citation as a sentence."""
        who = "; ".join(author.name for author in self.authors) or f"Study {self.study.id}"
        version = f" (version {self.release.version})" if self.release.version else ""
        place = f" {self.release.publisher}." if self.release.publisher else ""
        address = f" https://doi.org/{self.release.doi}" if self.release.doi else ""
        return f"{who} ({self.exported_on[:4]}). {self.study.title}{version} [Data set].{place}{address}"


def person(author: DatasetAuthor) -> dict[str, Any]:
    """Return an author as schema.org's Person."""
    entry: dict[str, Any] = {"@type": "Person", "name": author.name}
    if author.orcid:
        entry["identifier"] = f"https://orcid.org/{author.orcid}"
    if author.affiliation:
        entry["affiliation"] = {"@type": "Organization", "name": author.affiliation}
    return entry


def schema_org(cited: Cited) -> dict[str, Any]:
    """Licence and origin in schema.org's terms; only what is known."""
    release = cited.release
    entry: dict[str, Any] = {
        "author": [person(author) for author in cited.authors],
        "license": release.license_url,
        "version": release.version,
        "publisher": {"@type": "Organization", "name": release.publisher} if release.publisher else None,
        "identifier": f"https://doi.org/{release.doi}" if release.doi else f"study-{cited.study.id}",
        "citation": [work.citation or work.address for work in release.related],
        "funder": [{"@type": "Organization", "name": funder.name} for funder in release.funders],
        "funding": [
            {"@type": "Grant", "identifier": funder.award, "funder": {"@type": "Organization", "name": funder.name}}
            for funder in release.funders
            if funder.award
        ],
        "subjectOf": {"@type": "CreativeWork", "url": release.registration} if release.registration else None,
        "temporalCoverage": "/".join(cited.collected) if cited.collected else "",
    }
    return {name: value for name, value in entry.items() if value}


def citation_cff(cited: Cited) -> dict[str, Any]:
    """Return the content of CITATION.cff (version 1.2.0)."""
    release = cited.release
    entry: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use these data, please cite them as below.",
        "type": "dataset",
        "title": cited.study.title,
        "abstract": cited.description,
        "authors": [_cff_author(author) for author in cited.authors] or [{"name": f"Study {cited.study.id}"}],
        "version": release.version,
        "doi": release.doi,
        "license": release.license if release.license and "://" not in release.license else "",
        "license-url": release.license if "://" in release.license else "",
        "date-released": cited.exported_on,
        "keywords": list(release.keywords),
        "references": [_cff_work(work.citation or work.address, work.doi, work.url) for work in release.related],
    }
    return {name: value for name, value in entry.items() if value}


def _cff_author(author: DatasetAuthor) -> dict[str, str]:
    known = {
        "orcid": f"https://orcid.org/{author.orcid}" if author.orcid else "",
        "affiliation": author.affiliation,
    }
    # Whose family name is not known goes by the whole name, as the format has it for bodies.
    named = {"family-names": author.family, "given-names": author.given} if author.family else {"name": author.name}
    if not author.family:
        known.pop("affiliation")
    return {name: value for name, value in (named | known).items() if value}


def _cff_work(title: str, doi: str, url: str) -> dict[str, Any]:
    entry = {"type": "generic", "title": title, "authors": [{"name": "see the title"}], "doi": doi, "url": url}
    return {name: value for name, value in entry.items() if value}


def datacite(cited: Cited) -> dict[str, Any]:
    """DataCite metadata (kernel 4), for the form of an archive; only what is known."""
    release, study = cited.release, cited.study
    entry: dict[str, Any] = {
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "doi": release.doi,
        "creators": [_creator(author) for author in cited.authors] or [{"name": f"Study {study.id}"}],
        "titles": [{"title": study.title}],
        "publisher": {"name": release.publisher or "(not published yet)"},
        "publicationYear": cited.exported_on[:4],
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Data of a randomised controlled trial"},
        "subjects": [{"subject": word} for word in release.keywords],
        "dates": [{"date": "/".join(cited.collected), "dateType": "Collected"}] if cited.collected else [],
        "language": study.language,
        "version": release.version,
        "rightsList": [_rights(release)] if release.license else [],
        "descriptions": [{"description": cited.description, "descriptionType": "Abstract"}],
        "fundingReferences": [
            {"funderName": funder.name} | ({"awardNumber": funder.award} if funder.award else {})
            for funder in release.funders
        ],
        "relatedIdentifiers": [
            {
                "relatedIdentifier": work.doi or work.url,
                "relatedIdentifierType": "DOI" if work.doi else "URL",
                "relationType": work.relation,
            }
            for work in release.related
        ]
        + (
            [
                {
                    "relatedIdentifier": release.registration,
                    "relatedIdentifierType": "URL",
                    "relationType": "IsDocumentedBy",
                }
            ]
            if release.registration
            else []
        ),
    }
    return {name: value for name, value in entry.items() if value}


def _creator(author: DatasetAuthor) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": author.name}
    if author.family or author.orcid:
        # Of other names it is not known whether they are a person's: some are a group's, or have their department.
        entry["nameType"] = "Personal"
    if author.family:
        entry |= {"name": f"{author.family}, {author.given}", "familyName": author.family, "givenName": author.given}
    if author.orcid:
        entry["nameIdentifiers"] = [
            {
                "nameIdentifier": f"https://orcid.org/{author.orcid}",
                "nameIdentifierScheme": "ORCID",
                "schemeUri": "https://orcid.org",
            }
        ]
    if author.affiliation:
        entry["affiliation"] = [{"name": author.affiliation}]
    return entry


def _rights(release: Release) -> dict[str, str]:
    rights = {"rights": release.license, "rightsUri": release.license_url}
    if "://" not in release.license:
        rights |= {"rightsIdentifier": release.license, "rightsIdentifierScheme": "SPDX"}
    return rights
