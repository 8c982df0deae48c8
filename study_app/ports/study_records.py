"""What is stored of the study itself: its facts, its versions, its invitations, the acts of researchers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from study_app.domain.records import (
    AuditEntry,
    Link,
    ProtocolVersion,
)


class StudyRecords(Protocol):
    """The study's facts, versions, invitations and acts, within one transaction."""

    def lock(self, name: str) -> None:
        """Wait until no other transaction holds this name; held to the end of this one."""
        ...

    def meta(self, key: str) -> str | None:
        """Return a fact about the study itself, or None."""
        ...

    def set_meta(self, key: str, value: str) -> None:
        """Set such a fact."""
        ...

    def meta_value(self, key: str) -> Any:
        """Return a fact that is a JSON value, not a text; None where it was never set, or was set to None."""
        ...

    def set_meta_value(self, key: str, value: Any) -> None:
        """Set such a fact."""
        ...

    def meta_values(self, prefix: str) -> dict[str, Any]:
        """Return facts that are JSON values and whose keys begin so."""
        ...

    def metas(self, prefix: str) -> dict[str, str]:
        """Return facts whose keys begin so."""
        ...

    def versions(self) -> list[ProtocolVersion]:
        """Locked protocol versions, oldest first."""
        ...

    def newest_version(self) -> str | None:
        """Hash of the version locked last; None before the launch."""
        ...

    def add_version(self, version: ProtocolVersion) -> None:
        """Lock another version."""
        ...

    def add_link(self, link: Link) -> None:
        """Insert a single-use link."""
        ...

    def link(self, token_hash: str) -> Link | None:
        """Return the link, or None."""
        ...

    def links(self) -> list[Link]:
        """Return all links, in order of making."""
        ...

    def take_link(self, token_hash: str, participant_id: str) -> bool:
        """Give an unused link to a participant; False if it is unknown or used."""
        ...

    def forget_label_of_link(self, participant_id: str) -> None:
        """Take the label from the link with which a participant came; it stays used."""
        ...

    def add_audit(self, entry: AuditEntry) -> None:
        """Append to the audit log, chained to the entry before."""
        ...

    def audit(self) -> list[AuditEntry]:
        """Return the audit log, oldest first."""
        ...

    def audit_of(self, whats: Sequence[str] = (), participant_id: str = "") -> list[AuditEntry]:
        """Return acts of these names (all where empty) on this participant (anybody where empty), oldest first."""
        ...
