"""Prolific's signed addresses ("secure URL parameters"): a JSON Web Token that says who comes, checked with its keys.

The token is in the query as `prolific_token`, signed with RS256; its `aud` names the study's own site, its `exp` when
it ends, and its `prolific` what the address would have said openly.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import jwt

from study_app.domain.addresses import parts_of
from study_app.domain.errors import NotAllowed, Problem, ProblemsFound
from study_app.domain.sentences import REFUSALS
from study_app.domain.text_files import decode_text

log = logging.getLogger(__name__)

FIELD = "prolific_token"
PANEL_FIELDS = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
KEYS = "STUDY_PROLIFIC_KEYS"
"""Environment variable, or `prolific_keys` in `.streamlit/secrets.toml`: a file, an https address, or the JSON."""
SECRETS = Path(".streamlit/secrets.toml")
ALGORITHMS = ["RS256"]
"""Never what the token names: a forger would name one that needs no private key."""
LONGEST_TOKEN = 6_000
READING_SECONDS = 1800
"""The welcome page is read between the arrival and Start: so much later a token is still taken there."""
_FRESH_SECONDS, _SOONEST_SECONDS, _PATIENCE_SECONDS = 86_400.0, 60.0, 5.0
_AGAIN = REFUSALS("again")


class SignedArrival:
    """Checks tokens for one study.

    Args:
        signed_for: the site's own address or host, as `recruitment.signed_for` says it.
        keys: where Prolific's public keys are: a file, an https address, or their JSON.

    Raises:
        ProblemsFound: there are no keys, or what should hold them does not.
    """

    def __init__(self, signed_for: str, keys: str) -> None:
        host = parts_of(signed_for).netloc or signed_for.strip("/")
        self._audiences = [signed_for, host, f"https://{host}", f"https://{host}/"]
        self._address = keys if keys.startswith(("https://", "http://")) else ""
        self._keys = {} if self._address else _read(keys)
        self._fetched_at = 0.0
        self._lock = threading.Lock()

    def vouched(
        self, fields: Mapping[str, str], *, pressed: bool = False, known_as: str | None = None
    ) -> dict[str, str]:
        """Return the fields of an address with the panel's ids as its token gives them, whatever else the address says.

        Args:
            fields: of the query or the form.
            pressed: Start was pressed: the token was good a moment ago.
            known_as: panel id of the participant of this browser; their token may have ended.

        Raises:
            NotAllowed: ids without a token, or a token that does not hold; the message is for the participant.
        """
        token = fields.get(FIELD, "").strip()
        if not token:
            if any(fields.get(name) for name in PANEL_FIELDS):
                raise NotAllowed(REFUSALS("unsigned", again=_AGAIN))
            return dict(fields)
        ids = self._ids(token, READING_SECONDS if pressed else 0, known_as)
        others = {name: value for name, value in fields.items() if name not in PANEL_FIELDS}
        return others | ids

    def _ids(self, token: str, leeway: int, known_as: str | None) -> dict[str, str]:
        try:
            return _panel_ids(self._claims(token, leeway))
        except jwt.ExpiredSignatureError:
            # Read again with its end ten years later: all else about it must still hold.
            ids = _panel_ids(self._claims(token, 10 * 365 * 86_400))
            if known_as is not None and ids["PROLIFIC_PID"] == known_as:
                return ids
            raise NotAllowed(REFUSALS("expired", again=_AGAIN)) from None

    def _claims(self, token: str, leeway: int) -> dict[str, Any]:
        """Return what a token says, once its signature, audience and end are checked.

        Raises:
            ExpiredSignatureError: only its end has passed.
            NotAllowed: anything else is wrong with it.
        """
        try:
            if len(token) > LONGEST_TOKEN:
                raise jwt.DecodeError("too long")
            key = self._key(str(jwt.get_unverified_header(token).get("kid", "")))
            claims: dict[str, Any] = jwt.decode(
                token, key, ALGORITHMS, options={"require": ["exp", "aud"]}, audience=self._audiences, leeway=leeway
            )
        except jwt.ExpiredSignatureError:
            raise
        except jwt.InvalidAudienceError:
            raise NotAllowed(REFUSALS("other_site", again=_AGAIN)) from None
        except jwt.InvalidAlgorithmError:
            raise NotAllowed(REFUSALS("other_signature", again=_AGAIN)) from None
        except jwt.MissingRequiredClaimError:
            raise NotAllowed(REFUSALS("signature_short", again=_AGAIN)) from None
        except (jwt.PyJWTError, ValueError):
            raise NotAllowed(REFUSALS("signature_wrong", again=_AGAIN)) from None
        return claims

    def _key(self, name: str) -> Any:
        """Return the public key of that name.

        Raises:
            DecodeError: there is none.
        """
        with self._lock:
            age = time.monotonic() - self._fetched_at
            due = age > _FRESH_SECONDS or (name not in self._keys and age > _SOONEST_SECONDS)
            # A stranger's invented names make the server ask no more than once a minute.
            if self._address and (not self._fetched_at or due):
                self._fetch()
            key = self._keys.get(name)
        if key is None:
            raise jwt.DecodeError("no such key")
        return key

    def _fetch(self) -> None:
        self._fetched_at = time.monotonic()
        try:
            answer = httpx2.get(self._address, timeout=_PATIENCE_SECONDS, follow_redirects=False)
            self._keys = _parsed(answer.text, self._address) if answer.status_code == 200 else self._keys
        except (httpx2.HTTPError, ProblemsFound) as error:
            log.error("%s: Prolific's keys cannot be fetched: %s", self._address, error)


def signed_arrival(signed_for: str, environment: Mapping[str, str]) -> SignedArrival | None:
    """Of a study; None where its file names no site that addresses are signed for.

    Raises:
        ProblemsFound: it does, and Prolific's keys are nowhere.
    """
    if not signed_for:
        return None
    return SignedArrival(signed_for, environment.get(KEYS, "").strip() or _secret())


def _secret() -> str:
    try:
        found = tomllib.loads(decode_text(SECRETS.read_bytes(), str(SECRETS))).get("prolific_keys", "")
    except (OSError, ValueError):
        return ""
    return found if isinstance(found, str) else ""


def _panel_ids(claims: Mapping[str, Any]) -> dict[str, str]:
    claimed = claims.get("prolific")
    ids = {name: claimed.get(name) for name in PANEL_FIELDS} if isinstance(claimed, dict) else {}
    given = {name: value for name, value in ids.items() if isinstance(value, str) and value}
    if not {"PROLIFIC_PID", "SESSION_ID"} <= given.keys():
        raise NotAllowed(REFUSALS("signature_nameless", again=_AGAIN))
    return given


def _read(keys: str) -> dict[str, Any]:
    remedy = "save https://api.prolific.com/.well-known/study/jwks.json as a file and name it there"
    if not keys:
        what = "recruitment.signed_for is set, and Prolific's public keys are not"
        raise ProblemsFound([Problem(KEYS, "", what, remedy)])
    if keys.startswith("{"):
        return _parsed(keys, KEYS)
    try:
        return _parsed(decode_text(Path(keys).read_bytes(), keys), keys)
    except OSError as error:
        raise ProblemsFound([Problem(KEYS, "", f"{keys} cannot be read ({error.strerror})", remedy)]) from None


def _parsed(text: str, source: str) -> dict[str, Any]:
    """Name -> public key of every RSA key in a key set.

    Raises:
        ProblemsFound: it holds none.
    """
    try:
        listed = jwt.PyJWKSet.from_dict(json.loads(text)).keys
    except (jwt.PyJWTError, ValueError, AttributeError, TypeError):
        listed = []
    found = {key.key_id: key.key for key in listed if key.key_id and key.key_type == "RSA"}
    if not found:
        what = f"{source} holds no RSA key of a key set (JWKS)"
        raise ProblemsFound([Problem(KEYS, "", what, "fetch Prolific's key set again")])
    return found
