"""Sending alerts to the researchers: by mail, or by posting to an address."""

from __future__ import annotations

import http.client
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.utils import parseaddr
from urllib.parse import urlsplit

from study_app.domain.errors import InfrastructureError, Problem, ProblemsFound
from study_app.domain.study.operating.alerts import Alerts, Channel
from study_app.mailing import SENDER, SERVER, MailConnection, MailServer, message
from study_app.services.operation.alert_watch import AlertMessage

WEBHOOK = "STUDY_ALERT_WEBHOOK"
"""Environment variable: the address that alerts are posted to; often it is a secret."""
SECONDS = 20.0


MailDone = tuple[str, str, str, str]
"""Kind, beginning and moment of an alert, and the address."""


class AlertSender:
    """Sends by the channels of a study file, with the addresses of the environment.

    Args:
        environment: has the mail server, the sender and the webhook.
        alerts: has the recipients, as the study file says it at the moment of sending.
        done: mails that were handed on, of alerts that others have still to get; it is filled here.
    """

    def __init__(self, environment: Mapping[str, str], alerts: Alerts, done: set[MailDone] | None = None) -> None:
        self._environment = environment
        self._alerts = alerts
        self._done: set[MailDone] = set() if done is None else done

    def send(self, channel: Channel, alert: AlertMessage) -> str:
        """Send one message; returns what came of it.

        Raises:
            InfrastructureError: it was not sent, and may be later.
        """
        try:
            return self._mail(alert) if channel == "mail" else self._post(alert)
        except ProblemsFound as problem:
            raise InfrastructureError(str(problem)) from None

    def problems(self) -> list[Problem]:
        """Return what keeps the study file's alerts from being sent from here."""
        found: list[Problem] = []
        for needed, look in ((self._alerts.mail, self._server), (self._alerts.webhook, self._address)):
            if needed:
                try:
                    look()
                except ProblemsFound as problem:
                    found += problem.problems
        return found

    def _server(self) -> MailServer:
        url, sender = (self._environment.get(name, "").strip() for name in (SERVER, SENDER))
        return MailServer.parse(url, sender)

    def _address(self) -> str:
        url = self._environment.get(WEBHOOK, "").strip()
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            what = "alerts.webhook is true, but this is not a web address" if url else "alerts.webhook needs an address"
            raise ProblemsFound([Problem(WEBHOOK, "", what, "set it to https://... in the server's environment")])
        return url

    def _mail(self, alert: AlertMessage) -> str:
        server, (subject, body) = self._server(), _wording(alert)
        outcomes, waiting = [], 0
        about = (alert.kind, alert.since.isoformat(), alert.moment)
        with MailConnection(server) as connection:
            for address in self._alerts.mail:
                given: MailDone = (*about, address)
                if given in self._done:
                    outcomes.append("sent")
                    continue
                outcome = connection.send(message(server, parseaddr(address)[1], subject, body))
                outcomes.append(outcome)
                if outcome == "deferred":
                    waiting += 1
                else:
                    # Who was given it does not get it again because another address has to wait.
                    self._done.add(given)
        if waiting:
            raise InfrastructureError(f"{SERVER}: takes the mail for {waiting} address(es) later")
        self._done.difference_update([(*about, address) for address in self._alerts.mail])
        return ", ".join(outcomes)

    def _post(self, alert: AlertMessage) -> str:
        subject, body = _wording(alert)
        state = "firing" if alert.moment == "began" else "resolved"
        value = {
            "text": f"{subject}\n{body}", "study": alert.study_id, "kind": alert.kind, "state": state,
            "message": alert.text, "since": alert.since.isoformat(), "at": alert.at.isoformat(),
        }  # fmt: skip
        headers = {"Content-Type": "application/json", "User-Agent": "study-app"}
        request = urllib.request.Request(self._address(), json.dumps(value).encode(), headers, method="POST")
        try:
            with _opener.open(request, timeout=SECONDS) as answer:
                return f"status {answer.status}"
        except urllib.error.HTTPError as refused:
            # Too many requests, and what fails at the other side, is worth another attempt; a refusal stays one.
            if refused.code == 429 or refused.code >= 500:
                raise InfrastructureError(f"{WEBHOOK}: answered {refused.code}") from None
            return f"status {refused.code}"
        except (OSError, ValueError, http.client.HTTPException) as failure:
            raise InfrastructureError(f"{WEBHOOK}: cannot be reached ({type(failure).__name__})") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is answered as it is: what is posted goes to the address that was named, and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        """See urllib."""
        return


_opener = urllib.request.build_opener(_NoRedirect)


def machine_name() -> str:
    """Return the name of this machine, as researchers know it."""
    return socket.gethostname() or "this machine"


def _wording(alert: AlertMessage) -> tuple[str, str]:
    """Subject and body."""
    over = alert.moment == "over"
    subject = f"[{alert.study_id}] {'over: ' if over else ''}{alert.kind.partition(':')[0].replace('_', ' ')}"
    began = f"It began at {alert.since:%Y-%m-%d %H:%M} UTC"
    ended = f" and was over at {alert.at:%Y-%m-%d %H:%M} UTC" if over else ""
    first = f"This is over: {alert.text}" if over else alert.text
    return subject, f"{first}\n\n{began}{ended}. Study: {alert.title}. The console lists all alerts.\n"
