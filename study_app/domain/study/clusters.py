"""Pseudonyms of clusters: no dataset, ledger or page that leaves the server holds a class's label."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator

from study_app.domain.study.study import Study

COLUMN = "cluster_id"
_FORM = re.compile(r"^c[0-9a-f]{12}$")


def pseudonym(key: bytes, label: object) -> str | None:
    """Return the pseudonym of a cluster's label under a secret key; None without a label."""
    if label is None or label == "":
        return None
    return "c" + hmac.new(key, f"cluster:{label}".encode(), hashlib.sha256).hexdigest()[:12]


def is_pseudonym(text: str) -> bool:
    """Return whether a category has the form of a pseudonym."""
    return bool(_FORM.match(text))


def cluster_questions(studies: Iterable[Study]) -> frozenset[str]:
    """Questions whose answers name a cluster."""
    return frozenset(s.allocation.cluster for s in studies if s.allocation.method == "cluster") - {"label"}


def masked_variables(study: Study) -> frozenset[str]:
    """Variables of the allocation whose values are labels of groups of people, which only a pseudonym may stand for."""
    named = {study.allocation.cluster} if study.allocation.method == "cluster" else set()
    return frozenset(named | ({"label"} & set(study.allocation.variables)))


def stratum_warnings(study: Study) -> Iterator[str]:
    """Strata and factors of a cluster trial that each person brings: one of a cluster decides for all of it."""
    scheme = study.allocation
    named = [factor.variable for factor in (*scheme.strata, *scheme.factors) if factor.variable != scheme.cluster]
    if scheme.method == "cluster" and named:
        yield (
            f"allocation: {', '.join(named)} is known of each person and clusters are allocated whole: what the first "
            "person of a cluster gives is the cluster's stratum; name variables that everyone in a cluster shares"
        )


def simulated_key(study: Study) -> bytes:
    """Return the key of simulated participants' clusters.

    Public and the same for every run, as their labels are made up.
    """
    return hashlib.sha256(f"simulated-clusters:{study.id}".encode()).digest()
