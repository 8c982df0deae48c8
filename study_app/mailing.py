"""Handing a mail to an SMTP server."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Literal
from urllib.parse import unquote, urlsplit

from study_app.domain.errors import InfrastructureError, Problem, ProblemsFound

SERVER, SENDER = "STUDY_SMTP_URL", "STUDY_MAIL_FROM"
"""Environment variables: smtp://user:password@host:587 (smtps:// for TLS from the start), and the sender's address."""
SECONDS = 30.0
_GOING_AWAY = 421
"""The server has closed the connection with this answer."""


@dataclass(frozen=True)
class MailServer:
    """Where mails are handed in."""

    host: str
    port: int
    user: str
    password: str
    sender: str
    tls: bool

    @classmethod
    def parse(cls, url: str, sender: str) -> MailServer:
        """From the two environment variables.

        Raises:
            ProblemsFound: one of them cannot be used.
        """
        problems = []
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or port == -1:
            remedy = "write smtp://user:password@host:587, or smtps://... for TLS from the start"
            problems.append(Problem(SERVER, "", "this is not the address of a mail server", remedy))
        if "@" not in sender or not sender.isprintable():
            what = f"found '{sender}'" if sender else "no sender is set"
            problems.append(Problem(SENDER, "", what, "set it to the address that mails come from"))
        if problems:
            raise ProblemsFound(problems)
        tls = parts.scheme == "smtps"
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname or "", port or (465 if tls else 587), user, password, sender, tls)


def message(server: MailServer, to: str, subject: str, body: str, opt_out: str = "") -> EmailMessage:
    """Return a mail of plain text."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = server.sender, to, " ".join(subject.split())
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = make_msgid(domain=server.sender.rstrip(">").split("@")[-1])
    if opt_out:
        mail["List-Unsubscribe"] = f"<{opt_out}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body)
    return mail


class MailConnection:
    """A connection to the server, opened at the first mail; use as a context manager."""

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> MailConnection:
        return self

    def __exit__(self, *_: object) -> None:
        if self._smtp is not None:
            self._smtp.close()

    def open(self) -> None:
        """Connect now.

        Raises:
            InfrastructureError: as `send`.
        """
        self._opened()

    def send(self, mail: EmailMessage) -> Literal["sent", "refused", "deferred", "unknown"]:
        """Hand one mail in.

        `deferred`: the server may take it later, as one that keeps unknown senders waiting does (RFC 5321, 4yz).

        Raises:
            InfrastructureError: the server cannot be reached, or refuses the account; nothing was handed in.
        """
        smtp = self._opened()
        try:
            smtp.send_message(mail)
        except smtplib.SMTPRecipientsRefused as refused:
            return self._refusal(max((code for code, _ in refused.recipients.values()), default=0))
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as refused:
            return self._refusal(refused.smtp_code)
        except (smtplib.SMTPException, OSError):
            # It may have arrived: the connection broke after the server had been given it.
            self._smtp = None
            return "unknown"
        return "sent"

    def _refusal(self, code: int) -> Literal["refused", "deferred"]:
        if code == _GOING_AWAY:
            self._smtp = None
        return "deferred" if 400 <= code < 500 else "refused"

    def _opened(self) -> smtplib.SMTP:
        if self._smtp is None:
            try:
                self._smtp = self._open()
            except (smtplib.SMTPException, OSError) as error:
                where = f"{self.server.host}:{self.server.port}"
                raise InfrastructureError(f"{SERVER}: the mail server {where} cannot be used ({error})") from None
        return self._smtp

    def _open(self) -> smtplib.SMTP:
        server, context = self.server, ssl.create_default_context()
        if server.tls:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
            smtp.ehlo()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=context)
        if server.user:
            smtp.login(server.user, server.password)
        return smtp
