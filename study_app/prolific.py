"""Prolific's API for researchers: submissions, bonuses, messages, participant groups.

Approving again changes nothing there. Paying a set of bonuses again pays it again, so a request whose answer did not
come is never repeated: it is `PanelUnanswered`, and a person looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from study_app.domain.errors import InfrastructureError, PanelRefusal, PanelUnanswered, Problem, ProblemsFound
from study_app.ports import PanelSubmission

TOKEN, ADDRESS = "STUDY_PROLIFIC_TOKEN", "STUDY_PROLIFIC_URL"
"""Environment variables: the token of a Prolific account, and another address of the API than Prolific's own."""
PROLIFIC = "https://api.prolific.com"
SECONDS = 30.0
MOST_PAGES = 1_000
_LONGEST_REASON = 300


def prolific_of(environment: Mapping[str, str]) -> Prolific:
    """Return the client of the account whose token the environment holds.

    Raises:
        ProblemsFound: there is no token, or the address cannot be used.
    """
    token = environment.get(TOKEN, "").strip()
    if not token or not token.isascii() or not token.isprintable():
        remedy = "make a token in Prolific's settings and set the variable where this command runs"
        raise ProblemsFound([Problem(TOKEN, "", "no token is set" if not token else "this is not a token", remedy)])
    address = environment.get(ADDRESS, "").strip().rstrip("/") or PROLIFIC
    parts = urlsplit(address)
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise ProblemsFound([Problem(ADDRESS, "", f"'{address}' is not an https address", "leave it out")])
    return Prolific(address, token)


class Prolific:
    """ports.Panel over HTTP; a context manager."""

    def __init__(self, address: str, token: str) -> None:
        self._address = address
        self._http = httpx2.Client(headers={"Authorization": f"Token {token}"}, timeout=SECONDS, follow_redirects=False)

    def __enter__(self) -> Prolific:
        """Return the client."""
        return self

    def __exit__(self, *_failure: object) -> None:
        """Close the connection."""
        self._http.close()

    def submissions(self, study: str) -> Iterator[PanelSubmission]:
        """Yield every submission of a study there."""
        address: str | None = f"{self._address}/api/v1/studies/{quote(study, safe='')}/submissions/"
        for _ in range(MOST_PAGES):
            if address is None:
                return
            found = self._ask("GET", address)
            for row in found.get("results", []):
                who = str(row.get("participant_id") or row.get("participant") or "")
                yield PanelSubmission(str(row.get("id", "")), who, str(row.get("status", "")))
            following = ((found.get("_links") or {}).get("next") or {}).get("href")
            # The token goes to no other host.
            address = following if following and str(following).startswith(self._address + "/") else None

    def approve(self, submissions: Sequence[str]) -> None:
        """Approve these submissions, by their ids."""
        self._ask("POST", f"{self._address}/api/v1/submissions/bulk-approve/", {"submission_ids": list(submissions)})

    def prepare_bonuses(self, study: str, amounts: Sequence[tuple[str, float]]) -> str:
        """Set up bonuses by participant; nothing is paid yet. Return the id by which they are paid."""
        rows = "\n".join(f"{who},{amount:.2f}" for who, amount in amounts)
        wanted = {"study_id": study, "csv_bonuses": rows}
        made = self._ask("POST", f"{self._address}/api/v1/submissions/bonus-payments/", wanted)
        return str(made["id"])

    def pay_bonuses(self, prepared: str) -> None:
        """Pay what was set up; a second call would pay it a second time."""
        self._ask("POST", f"{self._address}/api/v1/bulk-bonus-payments/{quote(prepared, safe='')}/pay/")

    def message(self, study: str, people: Sequence[str], text: str) -> None:
        """Write to participants of a study."""
        wanted = {"ids": list(people), "body": text, "study_id": study}
        self._ask("POST", f"{self._address}/api/v1/messages/bulk/", wanted)

    def add_to_group(self, group: str, people: Sequence[str]) -> None:
        """Add participants to a group; who is in it already stays in it."""
        address = f"{self._address}/api/v1/participant-groups/{quote(group, safe='')}/participants/"
        self._ask("POST", address, {"participant_ids": list(people)})

    def _ask(self, method: str, address: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer = self._http.request(method, address, json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise InfrastructureError(f"Prolific cannot be reached ({error}); nothing was asked of it") from None
        except httpx2.HTTPError as error:
            raise PanelUnanswered(f"Prolific did not answer ({error or type(error).__name__})") from None
        if answer.status_code >= 500:
            raise PanelUnanswered(f"Prolific failed (HTTP {answer.status_code})")
        if answer.status_code >= 300:
            reason = " ".join(answer.text.split())[:_LONGEST_REASON]
            raise PanelRefusal(f"Prolific refuses (HTTP {answer.status_code}): {reason}")
        if not answer.content:
            return {}
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise PanelUnanswered("Prolific's answer cannot be read")
        return found
