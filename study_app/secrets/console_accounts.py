"""Who may use the console: accounts with argon2 hashes and a lockout, and sign-ins that outlive a reload."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from study_app.domain.errors import UserError

Role = Literal["monitor", "grader", "full"]
"""monitor: enrolment, no chats, no code. grader: answers to rate, blind to arm. full: all, and counts as unblinded."""

ADMIN = "admin"
"""The account that the first password belongs to."""
SHORTEST = 10
ATTEMPTS = 5
LOCKED = timedelta(minutes=5)
SIGNED_IN = timedelta(hours=12)
TICKET = timedelta(minutes=1)
MOST_NAMES = 10_000
"""Names whose failures are kept."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@dataclass(frozen=True)
class ConsoleUser:
    """A person who is signed in, as the audit log names them."""

    name: str
    role: Role


class Account:
    """The researchers' accounts and sign-ins.

    Args:
        folder: where their files lie, `var/` by default.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "console.accounts"
        self._sessions = folder / "console.sessions"
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex(16))
        self._failures: dict[str, list[datetime]] = {}
        self._tickets: dict[str, tuple[ConsoleUser, datetime]] = {}
        self._lock = threading.RLock()

    # -- accounts ------------------------------------------------------------------------------------------------------

    @property
    def exists(self) -> bool:
        """Whether a password is set."""
        return self.path.is_file()

    def people(self) -> list[ConsoleUser]:
        """Everybody with an account, by name."""
        return [ConsoleUser(name, role) for name, (role, _) in sorted(self._read().items())]

    def first_password(self) -> str | None:
        """Set a random password where there is none, and return it; None where one is set already."""
        if self.exists:
            return None
        password = random_password()
        self.set(password)
        return password

    def set(self, password: str, name: str = ADMIN, role: Role | None = None) -> None:
        """Set a password, making the account where there is none; ends their sign-ins.

        Args:
            password: at least SHORTEST characters.
            name: letters, digits and `. _ @ -`.
            role: None leaves it as it is, `full` for a new account.

        Raises:
            UserError: name, role or password cannot be taken, no account would be left that may do everything, or the
                file cannot be written.
        """
        if len(password) < SHORTEST:
            raise UserError(f"the password has {len(password)} characters; give it at least {SHORTEST}")
        if not NAME.fullmatch(name):
            raise UserError(f"'{name}' cannot be a name here; use letters, digits and . _ @ - without spaces")
        if role is not None and role not in get_args(Role):
            raise UserError(f"'{role}' is not a role; use one of {', '.join(get_args(Role))}")
        digest = self._hasher.hash(password)
        with self._changing():
            accounts = self._read()
            before = dict(accounts)
            kept: Role = accounts[name][0] if name in accounts else "full"
            accounts[name] = (role or kept, digest)
            # Where an identity provider vouches for everybody, there need not be any.
            if _one_is_full(before):
                _check_one_is_full(accounts, name)
            self._write(accounts)
            self._end_sessions(name)

    def remove(self, name: str) -> None:
        """Take an account away and end its sign-ins.

        Raises:
            UserError: there is none, or no account would be left that may do everything.
        """
        with self._changing():
            accounts = self._read()
            if name not in accounts:
                raise UserError(f"there is no account '{name}'")
            del accounts[name]
            _check_one_is_full(accounts, name)
            self._write(accounts)
            self._end_sessions(name)

    def check(self, password: str, now: datetime, name: str = ADMIN) -> ConsoleUser | None:
        """Who that is; None for a wrong name or password.

        Raises:
            UserError: too many wrong ones in a short time.
        """
        with self._lock:
            accounts = self._read()
            failures = self._recent(name, now)
            if len(failures) >= ATTEMPTS:
                wait = LOCKED - (now - failures[0])
                raise UserError(f"too many wrong passwords; wait {max(1, round(wait.total_seconds() / 60))} minute(s)")
            # Counted before it is known to be one: of many tries at once no more are looked at than one after another.
            failures.append(now)
        role, digest = accounts.get(name, (None, self._nobody))
        # Outside the lock, which every look at who is signed in takes: to hash takes as long as thousands of those.
        if not self._verifies(digest, password) or role is None:
            return None
        with self._lock:
            # Made anew meanwhile, it is not the password that was checked.
            if self._read().get(name) != (role, digest):
                return None
            self._failures.pop(_digest(name), None)
        return ConsoleUser(name, role)

    def _recent(self, name: str, now: datetime) -> list[datetime]:
        """Recent failures of a name; counted alike with and without an account, so that neither can be recognised.

        Invented names cannot fill the memory: of more than MOST_NAMES the longest untouched are forgotten, and trying
        so many takes longer than a lockout.
        """
        key = _digest(name)
        kept = [moment for moment in self._failures.pop(key, []) if now - moment < LOCKED]
        self._failures[key] = kept
        while len(self._failures) > MOST_NAMES:
            del self._failures[next(iter(self._failures))]
        return kept

    def _verifies(self, digest: str, password: str) -> bool:
        try:
            return self._hasher.verify(digest, password)
        except (VerifyMismatchError, InvalidHashError):
            return False

    # -- sign-ins ------------------------------------------------------------------------------------------------------

    def sign_in(self, person: ConsoleUser, now: datetime, *, vouched: bool = False) -> str:
        """Return a token for a cookie; only its hash is kept.

        Args:
            person: who has proven to be it.
            now: the present moment.
            vouched: an identity provider vouches for the person, who needs no account here.
        """
        token = secrets.token_urlsafe(32)
        row = {"name": person.name, "until": (now + SIGNED_IN).isoformat()}
        with self._changing():
            sessions = {key: row for key, row in self._read_sessions().items() if row["until"] > now.isoformat()}
            sessions[_digest(token)] = row | ({"role": person.role} if vouched else {})
            self._write_sessions(sessions)
        return token

    def person_of(
        self, token: str | None, now: datetime, role_of: Callable[[str], Role | None] | None = None
    ) -> ConsoleUser | None:
        """Whose token it is; None if unknown, expired, signed out, or the account or role is gone.

        Args:
            token: of the cookie.
            now: the present moment.
            role_of: says which role a person has by now for whom a provider vouches; None: the one that they came with.
        """
        if not token:
            return None
        with self._lock:
            row = self._read_sessions().get(_digest(token))
            if row is None or datetime.fromisoformat(row["until"]) <= now:
                return None
            if "role" in row:
                role = row["role"] if role_of is None else role_of(row["name"])
                return ConsoleUser(row["name"], role) if role is not None else None  # type: ignore[arg-type]
            account = self._read().get(row["name"])
        return ConsoleUser(row["name"], account[0]) if account else None

    def ticket(self, person: ConsoleUser, now: datetime) -> str:
        """Good once and for a minute: what a page of a vouched-for person trades for a cookie."""
        ticket = secrets.token_urlsafe(32)
        with self._lock:
            self._tickets = {key: row for key, row in self._tickets.items() if row[1] > now}
            self._tickets[_digest(ticket)] = (person, now + TICKET)
        return ticket

    def redeem(self, ticket: str, now: datetime) -> str | None:
        """Return the token for a ticket; None if it is unknown, used or too old."""
        with self._lock:
            person, until = self._tickets.pop(_digest(ticket), (None, now))
        return self.sign_in(person, now, vouched=True) if person is not None and until > now else None

    def sign_out(self, token: str | None) -> None:
        """Make a token worthless; an unknown one changes nothing."""
        with self._changing():
            sessions = self._read_sessions()
            if token and sessions.pop(_digest(token), None) is not None:
                self._write_sessions(sessions)

    def _end_sessions(self, name: str) -> None:
        sessions = self._read_sessions()
        self._write_sessions({key: row for key, row in sessions.items() if row["name"] != name})

    # -- files ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Read and write the files as one act, also against another process, such as a command beside the console."""
        path = self.path.with_name("console.lock")
        with self._lock, ExitStack() as held:
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                file = held.enter_context(os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "w"))
                # Ends with the process: a killed process delays no one.
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:
                raise UserError(f"{path}: cannot be written ({error.strerror}); make its folder writable") from None
            yield

    def _read(self) -> dict[str, tuple[Role, str]]:
        """By name; one line an account: name, role, hash."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UserError(f"{self.path}: cannot be read ({error.strerror}); make it readable") from None
        rows = [line.split() for line in lines if line.strip()]
        return {row[0]: (row[1], row[2]) for row in rows if len(row) == 3 and row[1] in get_args(Role)}  # type: ignore[misc]

    def _write(self, accounts: dict[str, tuple[Role, str]]) -> None:
        _replace(self.path, "".join(f"{name} {role} {digest}\n" for name, (role, digest) in sorted(accounts.items())))

    def _read_sessions(self) -> dict[str, dict[str, str]]:
        try:
            found = json.loads(self._sessions.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write_sessions(self, sessions: dict[str, dict[str, str]]) -> None:
        if sessions or self._sessions.exists():
            _replace(self._sessions, json.dumps(sessions, indent=1))


def _one_is_full(accounts: Mapping[str, tuple[Role, str]]) -> bool:
    return any(role == "full" for role, _ in accounts.values())


def _check_one_is_full(accounts: Mapping[str, tuple[Role, str]], name: str) -> None:
    if not _one_is_full(accounts):
        raise UserError(f"'{name}' is the last account with the role full; make another one first")


@cache
def accounts_in(folder: Path) -> Account:
    """Return the accounts of a folder: one object for a process, so that its lockout counts every attempt."""
    return Account(folder)


def random_password() -> str:
    """Sixty-four random bits that can be read out."""
    return "-".join(secrets.token_hex(2) for _ in range(4))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _replace(path: Path, text: str) -> None:
    """Write a file for the owner's eyes only, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); make its folder writable") from None
