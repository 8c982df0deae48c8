"""Signing the heads of the chain of records: with the study's key, or with another one while that is missing.

What is stored without the sealing key goes to chains that a key kept beside the database signs. Once the sealing key is
back, these chains get the study's signature: an administrator of the database can hold neither key, so that what was
stored meanwhile is as well proven as the rest.
"""

from __future__ import annotations

from datetime import timedelta

from study_app.domain.errors import SealingKeyMissing
from study_app.domain.records import AuditEntry
from study_app.services.context import StudyContext

HEAD_KEY = "sealed_head_key"
"""Where the key lies, encrypted, that signs the heads of the chain of records."""
ADOPTED_ACT = "records signed"
MISSING_EVERY, FOUND_EVERY = timedelta(seconds=5), timedelta(minutes=1)
"""Another process beside this one, such as the console, may go on without the key that this one has found."""


def find_head_keys(context: StudyContext) -> bool:
    """Sign heads from now on, where the study is launched; whether its sealing key is there. Stores nothing."""
    with context.registry.begin(write=False) as unit:
        sealed = unit.meta(HEAD_KEY)
    if sealed is None:
        return False
    try:
        key = context.seal.open(sealed)
    except SealingKeyMissing:
        key = None
    # Made only while the other is missing: with both there, what is stored needs one signature.
    context.registry.sign_heads(key, context.seal.interim_key(make=key is None))
    return key is not None


def open_head_key(context: StudyContext) -> bool:
    """Sign heads from now on, and what was stored while the sealing key was missing; whether it is there."""
    context.registry.on_launch(lambda: find_head_keys(context))
    found = find_head_keys(context)
    context.registry.sign_upgrade()
    if found:
        _adopt(context)
    return found


def _adopt(context: StudyContext) -> None:
    with context.registry.begin(write=False) as unit:
        if not unit.signed_meanwhile():
            return
    with context.registry.begin() as unit:
        unit.lock(ADOPTED_ACT)
        if not unit.signed_meanwhile():
            # Another server has signed them since this one looked.
            return
        entries = unit.adopt_heads()
        why = "the sealing key is back"
        unit.add_audit(AuditEntry(context.now(), "server", ADOPTED_ACT, why, {"entries": entries}))


class HeadSigning:
    """Looks for the sealing key, and for records that were stored without it."""

    def __init__(self, context: StudyContext) -> None:
        self.context = context
        self._due = context.now()

    def tick(self) -> None:
        """Look again now and then. Called every second."""
        now = self.context.now()
        if now >= self._due:
            self._due = now + (FOUND_EVERY if open_head_key(self.context) else MISSING_EVERY)
