"""The seal of a study, by the key that lies beside the database or in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from study_app.secrets.sealing_key import find_key, find_or_make_key, interim_key, new_salt, new_seed


class FileSeal:
    """The seal of a study (`services.context.Seal`), with the key from STUDY_SEAL_KEY or the folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None, study_id: str) -> None:
        self._where = (folder, environment)
        self._study_id = study_id
        self._opened: dict[str, bytes] = {}

    def new_seed(self) -> bytes:
        """See services.context.Seal."""
        return new_seed()

    def new_salt(self) -> str:
        """See services.context.Seal."""
        return new_salt()

    def seal(self, seed: bytes) -> str:
        """See services.context.Seal."""
        key = find_or_make_key(*self._where)
        return key.seal(seed, self._study_id)

    def open(self, sealed: str) -> bytes:
        """See services.context.Seal; the key is looked for each time, so that its loss is noticed at once."""
        key = find_key(*self._where)
        fingerprint = f"{key.source}:{hash(key)}:{sealed}"
        if fingerprint not in self._opened:
            self._opened = {fingerprint: key.open(sealed, self._study_id)}
        return self._opened[fingerprint]

    def new_signing_key(self) -> tuple[str, str]:
        """See services.context.Seal."""
        key = find_or_make_key(*self._where)
        return key.new_signing_key(self._study_id)

    def sign(self, sealed: str, message: bytes) -> str:
        """See services.context.Seal."""
        key = find_key(*self._where)
        return key.sign(sealed, self._study_id, message)

    def interim_key(self, *, make: bool) -> bytes | None:
        """See services.context.Seal."""
        return interim_key(self._where[0], make=make)

    def recovery_copy(self) -> str:
        """See services.context.Seal."""
        return find_key(*self._where).recovery_copy(self._study_id)
