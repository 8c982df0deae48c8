"""With which keys the heads of the chain of records are signed: the study's, or another while that is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

STUDY = ""
"""Signer of the chains that bear the signature of the study's key, and of all chains of a draft."""
UNSIGNED = "-"
"""Signer of what a program without any key appended after the launch."""


@dataclass
class HeadKeys:
    """What this process signs with; one object, that all transactions of a database share."""

    study: bytes | None = None
    """Opened with the sealing key; set once the study is launched."""
    interim: bytes | None = None
    """Kept beside the database, never in it, for as long as the sealing key is missing."""
    look: Callable[[], object] | None = None
    """Looks for the keys of a study that another process has launched meanwhile."""

    @property
    def now(self) -> bytes | None:
        """The key to sign with."""
        return self.study or self.interim

    @property
    def signer(self) -> str:
        """Whose chains this process appends to."""
        return STUDY if self.study is not None or self.interim is None else name_of(self.interim)

    def of(self, signer: str) -> bytes | None:
        """Return the key that signs the chains of a signer, where it is at hand."""
        if signer == STUDY:
            return self.study
        return self.interim if self.interim is not None and signer == name_of(self.interim) else None


def name_of(interim: bytes) -> str:
    """Return what the database calls a key that it must not hold."""
    # A hash tells two keys apart without giving away either; the prefix keeps it from being the hash of a key used
    # elsewhere.
    return hashlib.sha256(b"study-chain/interim:" + interim).hexdigest()[:16]
