"""The sealed seed at rest: encrypted with a key that the database never holds.

The key is `STUDY_SEAL_KEY`, any text, or else the file `seal.key` (0600, made at launch). AES-256-GCM
with a key derived by scrypt: a changed byte, a wrong key or a seal of another study is refused, never opened wrongly.
An attacker with root can read both key and database; what that means is in docs/explanation/allocation.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from study_app.domain.errors import SealingKeyMissing, UserError
from study_app.domain.ledger.commitment import SEED_BYTES

VARIABLE = "STUDY_SEAL_KEY"
FILE_NAME = "seal.key"
INTERIM_FILE = "interim.key"

_FORMAT = "study-seal/1"
_SALT_BYTES = 16
_NONCE_BYTES = 12
_SHORTEST = 16
"""Characters: scrypt slows guessing, it does not make a short key strong."""


class SealingKey:
    """Seals and opens seeds; its text shows in no `repr` and no message."""

    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self.source = source
        """Where it came from, for messages."""

    def __eq__(self, other: object) -> bool:
        # In constant time, as every comparison of secrets.
        return isinstance(other, SealingKey) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"SealingKey(********, source={self.source!r})"

    def seal(self, seed: bytes, study_id: str) -> str:
        """Encrypt a seed for one study; two sealings of the same seed differ."""
        # A nonce that repeats under one key would give both secrets away. A process seals a few secrets under the one
        # key of its salt, with 96 random bits each, so that a repetition stays out of reach; a salt for each sealing
        # would only cost a derivation more each time.
        salt, nonce = _salt_of_process(), secrets.token_bytes(_NONCE_BYTES)
        # The study's id is authenticated with the seed: a seal copied into another study's database does not open.
        hidden = AESGCM(self._key(salt)).encrypt(nonce, seed, _context(study_id))
        return f"{_FORMAT}:{base64.b64encode(salt + nonce + hidden).decode()}"

    def open(self, sealed: str, study_id: str) -> bytes:
        """Decrypt a seed.

        Raises:
            SealingKeyMissing: the key is another one, or the seal is damaged or another study's.
        """
        try:
            salt, nonce, hidden = _parts(sealed)
            return AESGCM(self._key(salt)).decrypt(nonce, hidden, _context(study_id))
        except (InvalidTag, ValueError) as error:
            raise SealingKeyMissing(
                f"sealing key: the one from {self.source} does not open the seed of study {study_id}; "
                f"set {VARIABLE} to the recovery copy that `study launch` printed"
            ) from error

    def sign(self, sealed: str, study_id: str, message: bytes) -> str:
        """Sign with a private key that was sealed under the purpose `signing`; the signature in hex.

        Raises:
            SealingKeyMissing: as `open`.
        """
        return Ed25519PrivateKey.from_private_bytes(self.open(sealed, _for_signing(study_id))).sign(message).hex()

    def new_signing_key(self, study_id: str) -> tuple[str, str]:
        """Return a fresh private key, sealed, and its public half in hex."""
        private = Ed25519PrivateKey.generate()
        sealed = self.seal(private.private_bytes_raw(), _for_signing(study_id))
        return sealed, private.public_key().public_bytes_raw().hex()

    def recovery_copy(self, study_id: str) -> str:
        """Return what `launch` prints once, for the safe."""
        return (
            f"Sealing key of study {study_id}. Keep this copy away from the server.\n"
            f"It opens the allocation seed: without it no one can be enrolled after a loss; with it and the database,\n"
            f"the next arm can be computed. To restore, set {VARIABLE} to the line below.\n\n    {self._text}\n"
        )

    @property
    def weakness(self) -> str | None:
        """Why launch should warn of this key; None where it is long enough."""
        if len(self._text) >= _SHORTEST:
            return None
        return (
            f"{self.source}: a sealing key of {len(self._text)} characters can be guessed; use at least {_SHORTEST}, "
            "such as the output of `openssl rand -base64 32`"
        )

    def _key(self, salt: bytes) -> bytes:
        return _derived(self._text, salt)


@cache
def _salt_of_process() -> bytes:
    """Return the salt of everything that this process seals."""
    return secrets.token_bytes(_SALT_BYTES)


# Kept, because every allocation opens the seed; few, because a process has one key and meets the salts of its study.
@lru_cache(maxsize=16)
def _derived(text: str, salt: bytes) -> bytes:
    """Derive the key of a salt: 32 MiB of memory and a tenth of a second for each guess at the text."""
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(text.encode())


def new_seed() -> bytes:
    """Return a seed for the real ledger, from the operating system's generator."""
    return secrets.token_bytes(SEED_BYTES)


def new_salt() -> str:
    """Return a salt for one row of the real ledger."""
    return secrets.token_hex(16)


def find_key(folder: Path, environ: Mapping[str, str] | None = None) -> SealingKey:
    """Return the sealing key from the environment, else from the folder.

    Args:
        folder: Where `seal.key` lies, `var/` by default.
        environ: The environment; None: this process's.

    Raises:
        SealingKeyMissing: neither is there.
    """
    text = (os.environ if environ is None else environ).get(VARIABLE, "").strip()
    if text:
        return SealingKey(text, VARIABLE)
    path = folder / FILE_NAME
    try:
        return _from_file(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SealingKeyMissing(
            f"sealing key: {VARIABLE} is not set and {path} cannot be read; no one can be allocated until one of them "
            "holds the key (the recovery copy that `study launch` printed)"
        ) from error


def find_or_make_key(folder: Path, environ: Mapping[str, str] | None = None) -> SealingKey:
    """At launch only: the key that is there, or a new one in `seal.key`, readable by its owner alone.

    Raises:
        UserError: the file cannot be written.
        SealingKeyMissing: it is there and cannot be read, or is empty.
    """
    if (os.environ if environ is None else environ).get(VARIABLE, "").strip():
        return find_key(folder, environ)
    path = folder / FILE_NAME
    try:
        _make(path)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror}); make the folder writable or set {VARIABLE}"
        ) from error
    return find_key(folder, environ)


def interim_key(folder: Path, *, make: bool) -> bytes | None:
    """Return the key that signs records while the sealing key is missing; None where it cannot be had.

    It lies where the database does not reach, as the sealing key does, and opens nothing.
    """
    path = folder / INTERIM_FILE
    try:
        if make:
            _make(path)
        return hashlib.sha256(_text_of(path).encode()).digest()
    except (OSError, UnicodeDecodeError):
        return None


def new_key_text() -> str:
    """Return a key that cannot be guessed, as text."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _make(path: Path) -> None:
    """Write a new key where there is none; whole or not at all, so that no reader finds half of it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(new_key_text() + "\n")
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _from_file(path: Path) -> SealingKey:
    return SealingKey(_text_of(path), str(path))


def _text_of(path: Path) -> str:
    text = path.read_text(encoding="utf-8").strip()
    if not text:
        raise OSError("empty")
    return text


def _for_signing(study_id: str) -> str:
    """Another purpose than the seed's: neither sealed secret opens as the other."""
    return f"{study_id}:signing"


def _context(study_id: str) -> bytes:
    return f"{_FORMAT}:{study_id}".encode()


def _parts(sealed: str) -> tuple[bytes, bytes, bytes]:
    form, _, body = sealed.rpartition(":")
    if form != _FORMAT:
        raise ValueError(f"not a seal of form {_FORMAT}")
    raw = base64.b64decode(body, validate=True)
    split = _SALT_BYTES + _NONCE_BYTES
    return raw[:_SALT_BYTES], raw[_SALT_BYTES:split], raw[split:]
