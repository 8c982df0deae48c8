"""The console's password: an argon2 hash in a file, and a lockout that slows guessing."""

from __future__ import annotations

import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from study_app.domain.errors import UserError

SHORTEST = 10
ATTEMPTS = 5
LOCKED = timedelta(minutes=5)


class Account:
    """The researchers' password.

    Args:
        folder: where the hash lies, `var/` by default.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "console.hash"
        self._hasher = PasswordHasher()
        self._failures: list[datetime] = []

    @property
    def exists(self) -> bool:
        """Whether a password is set."""
        return self.path.is_file()

    def first_password(self) -> str | None:
        """Set a random password where there is none, and return it; None where one is set already."""
        if self.exists:
            return None
        password = "-".join(secrets.token_hex(2) for _ in range(4))
        self.set(password)
        return password

    def set(self, password: str) -> None:
        """Set the password.

        Raises:
            UserError: too short, or the file cannot be written.
        """
        if len(password) < SHORTEST:
            raise UserError(f"the password has {len(password)} characters; give it at least {SHORTEST}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(self._hasher.hash(password) + "\n")
        except OSError as error:
            raise UserError(f"{self.path}: cannot be written ({error.strerror}); make its folder writable") from None

    def check(self, password: str, now: datetime) -> bool:
        """Whether it is the password.

        Raises:
            UserError: too many wrong ones in a short time.
        """
        self._failures = [moment for moment in self._failures if now - moment < LOCKED]
        if len(self._failures) >= ATTEMPTS:
            wait = LOCKED - (now - self._failures[0])
            raise UserError(f"too many wrong passwords; wait {max(1, round(wait.total_seconds() / 60))} minute(s)")
        try:
            self._hasher.verify(self.path.read_text(encoding="utf-8").strip(), password)
        except (OSError, VerifyMismatchError, InvalidHashError):
            self._failures.append(now)
            return False
        self._failures.clear()
        return True
