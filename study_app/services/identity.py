"""Tokens and identifying fields, as the database keeps them."""

from __future__ import annotations

import hashlib

from study_app.ports import UnitOfWork

LONGEST_FIELD = 200


def hashed(token: str) -> str:
    """Return what the database keeps of a token or a link."""
    return hashlib.sha256(token.encode()).hexdigest()


def panel_session_key(participant_id: str, session: str) -> str:
    """Return the fact that keeps by which of a panel's session ids a participant came back for a later session."""
    return f"panel_session:{participant_id}:{session}"


def keep_test_entry(unit: UnitOfWork, secret: str, moment: str) -> None:
    """Let this secret make previews from now on; only its hash is kept."""
    unit.set_meta(_test_key(secret), moment)


def is_test_entry(unit: UnitOfWork, secret: str) -> bool:
    """Return whether a secret belongs to a test entry."""
    return unit.meta(_test_key(secret)) is not None


def _test_key(secret: str) -> str:
    return f"test_entry:{hashed(secret)}"


def good_once(secret: str) -> str:
    """Return what is kept of a link that is good once.

    Other than of a cookie: put into a browser as one, its secret would let its maker in with nothing on record.
    """
    return hashed(f"once:{secret}")


def of_reminder(secret: str) -> str:
    """Return what is kept of the link in a reminder, which is for all devices of a participant and no cookie either."""
    return hashed(f"reminder:{secret}")
