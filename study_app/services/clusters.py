"""The clusters of a trial's participants, by pseudonym."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from study_app.dataset.measures.record import ParticipantRecord, questions
from study_app.domain.records import Kind
from study_app.domain.study.clusters import is_pseudonym, masked_variables, pseudonym, simulated_key
from study_app.domain.study.study import Study
from study_app.ports import UnitOfWork

_KEY = "cluster_key"


def disguised(
    unit: UnitOfWork, study: Study, kind: Kind, profile: Mapping[str, Any], known: Mapping[str, str]
) -> dict[str, Any]:
    """Return the baseline values of a newcomer with pseudonyms in place of labels of groups.

    Args:
        unit: a transaction that writes; the first call of a trial makes its key.
        study: the version that the participant keeps.
        kind: of the participant.
        profile: values by variable.
        known: categories of an earlier row of the same ledger; empty for the first. A ledger that was begun with plain
            labels continues with them, so that no cluster is split.
    """
    found = dict(profile)
    for name in masked_variables(study) & set(profile):
        if name in known and not is_pseudonym(known[name]):
            continue
        found[name] = pseudonym(_key(unit, study, kind, make=True), profile[name])
    return found


def cluster_of(unit: UnitOfWork, record: ParticipantRecord) -> str | None:
    """Return the pseudonym of a participant's cluster; None outside cluster trials, and where it is not known."""
    study, person = record.study, record.participant
    if study.allocation.method != "cluster" or person.data_withdrawn:
        return None
    name = study.allocation.cluster
    label = person.label if name == "label" else questions(record).get(name)
    # A dataset that was put back holds no label; its pseudonym stands in that place.
    if isinstance(label, str) and is_pseudonym(label):
        return label
    key = _key(unit, study, person.kind, make=False)
    return pseudonym(key, label) if key else None


def _key(unit: UnitOfWork, study: Study, kind: Kind, *, make: bool) -> bytes:
    if kind == "simulated":
        return simulated_key(study)
    stored = unit.meta(_KEY)
    if stored is None and make:
        # Looked at again under a lock: the ledgers are locked one by one, and all share the key.
        unit.lock(_KEY)
        stored = unit.meta(_KEY)
    if stored is None and make:
        stored = secrets.token_hex(32)
        unit.set_meta(_KEY, stored)
    return bytes.fromhex(stored) if stored else b""
