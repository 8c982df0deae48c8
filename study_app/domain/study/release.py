"""The [dataset] table of a study file: who made the data, on what terms they may be used, and how they are cited.

It describes a release and not the trial, and a DOI is known only after the last participant: so it is not part of
the protocol's hash and may be completed at any time, also after the launch.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from study_app.domain.study.sections import StudySection

Relation = Literal[
    "IsSupplementTo", "IsDescribedBy", "IsDocumentedBy", "IsDerivedFrom", "IsVersionOf", "Cites", "References",
    "IsCitedBy", "IsSourceOf", "IsPartOf", "Continues", "Obsoletes",
]  # fmt: skip
"""How another work is related, in DataCite's words."""

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_ORCID = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]")
Url = Annotated[str, Field(pattern=r"^(https?://\S+)?$", max_length=500)]


def bare_doi(value: str) -> str:
    """Return a DOI without the address of a resolver.

    Raises:
        ValueError: it is not a DOI.
    """
    found = re.sub(r"^(https?://(dx\.)?doi\.org/|doi:)", "", value.strip(), flags=re.IGNORECASE)
    if found and not _DOI.fullmatch(found):
        raise ValueError(f"'{value}' is not a DOI; write it as 10.5281/zenodo.1234567")
    return found


class DatasetAuthor(StudySection):
    """A person who made the data."""

    name: Annotated[str, Field(min_length=1)]
    """As it is to be cited."""
    family: str = ""
    """The family name within `name`, by which citations sort."""
    orcid: str = ""
    affiliation: str = ""

    @field_validator("orcid")
    @classmethod
    def _valid_orcid(cls, value: str) -> str:
        found = value.strip().removeprefix("https://orcid.org/")
        if found and (not _ORCID.fullmatch(found) or _check_digit(found) != found[-1]):
            raise ValueError(
                f"'{value}' is not an ORCID iD (its last character is a check digit); copy it from orcid.org"
            )
        return found

    @property
    def given(self) -> str:
        """The rest of the name beside the family name; empty where that is not named."""
        return " ".join(self.name.replace(self.family, " ").replace(",", " ").split()) if self.family else ""


class Funder(StudySection):
    """Who paid for the work."""

    name: Annotated[str, Field(min_length=1)]
    award: str = ""
    """Number or name of the grant."""


class RelatedWork(StudySection):
    """Another work: the preregistration, the paper, data that these continue."""

    doi: str = ""
    url: Url = ""
    relation: Relation = "IsSupplementTo"
    """What the dataset is to the work."""
    citation: str = ""

    _bare = field_validator("doi")(bare_doi)

    @property
    def address(self) -> str:
        """Where the work is found."""
        return f"https://doi.org/{self.doi}" if self.doi else self.url


class Release(StudySection):
    """Licence, authors and citation of the dataset."""

    license: str = ""
    """An SPDX identifier such as CC-BY-4.0, or the address of a licence."""
    authors: tuple[DatasetAuthor, ...] = ()
    """In the order of citation; where empty, the names under `researchers`."""
    publisher: str = ""
    """The archive that holds the data."""
    version: str = ""
    doi: str = ""
    registration: Url = ""
    """Address of the public registration of the trial."""
    funders: tuple[Funder, ...] = ()
    related: tuple[RelatedWork, ...] = ()
    keywords: tuple[str, ...] = ()

    _bare = field_validator("doi")(bare_doi)

    @field_validator("related")
    @classmethod
    def _addressed(cls, related: tuple[RelatedWork, ...]) -> tuple[RelatedWork, ...]:
        if any(not work.address for work in related):
            raise ValueError("a related work has neither doi nor url; give one of them")
        return related

    @property
    def license_url(self) -> str:
        """The licence as an address."""
        if not self.license or self.license.startswith(("http://", "https://")):
            return self.license
        return f"https://spdx.org/licenses/{self.license}"


def _check_digit(orcid: str) -> str:
    """Return the last character of an ORCID iD, by ISO 7064 MOD 11-2."""
    total = 0
    for digit in orcid.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    rest = (12 - total % 11) % 11
    return "X" if rest == 10 else str(rest)
