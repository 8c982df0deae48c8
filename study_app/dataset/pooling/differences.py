"""What differs between the sites of a pool and is carried, as sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from study_app.dataset.pooling.sites import Site


def differences(sites: Sequence[Site]) -> Iterator[str]:
    """Yield what differs between the sites, as sentences."""
    first = sites[0]
    for other in sites[1:]:
        if other.plan != first.plan:
            keys = ", ".join(_changed(json.loads(first.plan), json.loads(other.plan)))
            yield (
                f"the plan of {other.name} differs from that of {first.name} ({keys}): `study analyze` asks for "
                "`--plan FILE`, one that holds for both"
            )
        elif other.manifest.get("study_hash") != first.manifest.get("study_hash"):
            yield f"the study files of {first.name} and {other.name} differ; their plans and arms are the same"
        languages = (set(site.study.offered) for site in (first, other))
        if len({frozenset(each) for each in languages}) > 1:
            yield f"{first.name} and {other.name} offer different languages: `language` says which a person had"
        coders = [site.manifest.get("coding") for site in (first, other)]
        if coders[0] != coders[1]:
            yield f"queries at {first.name} and {other.name} were coded differently: compare no counts of codes"
        books = [site.dataset.codebook for site in (first, other)]
        if books[0] is not None and books[1] is not None and books[0].version != books[1].version:
            yield (
                f"interviews at {first.name} and {other.name} were coded by different codebooks ({books[0].version}, "
                f"{books[1].version}): the report counts codes by the one that was frozen last"
            )
        shared = [(site.manifest.get("public") or {}).get("k") for site in (first, other)]
        if shared[0] != shared[1]:
            yield (
                f"rare answers were coarsened to {shared[0]} people at {first.name} and to {shared[1]} at "
                f"{other.name}: the pool promises the smaller number"
            )
        versions = [site.manifest.get("package_version") for site in (first, other)]
        if versions[0] != versions[1]:
            yield f"{first.name} and {other.name} were exported by study-app {versions[0]} and {versions[1]}"


def _changed(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return [f"analysis.{key}" for key in sorted({*one, *other}) if one.get(key) != other.get(key)]
