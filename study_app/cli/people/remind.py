"""`study remind`: people who are due for a later session, as a file for a mail merge and by mail."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from study_app.cli.common import (
    STUDY,
    AsJson,
    DatabaseOption,
    StudyFile,
    app,
    command,
    require_writable_file,
    say,
    say_json,
    settings_of,
    start,
)
from study_app.content.texts import TextShelf
from study_app.dataset.schema.cells import guard
from study_app.dataset.schema.csv_rows import rows_in
from study_app.domain.errors import Problem, ProblemsFound
from study_app.domain.text_files import decode_text
from study_app.mailing import SENDER, SERVER, MailConnection, MailServer, message
from study_app.private_files import write_private

if TYPE_CHECKING:
    from study_app.bootstrap import App
    from study_app.services.researcher.panel.reminders import Outcome, Reminder, Reminders, Sent
    from study_app.settings import Settings


@app.command()
@command
def remind(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    out: Annotated[Path, typer.Option("--out", help="CSV file for a mail merge.", envvar="STUDY_OUT")] = Path(
        "reminders.csv"
    ),
    base: Annotated[str, typer.Option("--base-url", help="Public address of the study.", envvar="STUDY_BASE_URL")] = "",
    addresses: Annotated[
        Path | None,
        typer.Option("--addresses", help="CSV file: label or id, mail address.", envvar="STUDY_ADDRESSES"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say who is due; send and use up nothing.", envvar="STUDY_DRY_RUN")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remind people of the session that is open for them: each reminder once.

    Every run writes a CSV file with the address, the way back in and the text of each. Where STUDY_SMTP_URL and
    STUDY_MAIL_FROM name a mail server and a sender, it also sends them; the way in is then in the mail alone.

    Example: study remind --base-url https://study.example.org --dry-run
    """
    from study_app.services.researcher.links import check_base
    from study_app.services.researcher.panel.reminders import Reminders, addresses_in

    settings = settings_of(study, database)
    site = check_base(base or f"http://{settings.host}:{settings.port}", "--base-url")
    known = addresses_in(_rows(addresses), str(addresses)) if addresses else {}
    server = _server(settings)
    running = start(settings, new_database=False)
    try:
        reminders = Reminders(running.context, site, known)
        if dry_run:
            _report([(each, "pending") for each in reminders.preview()], as_json)
            return
        require_writable_file(out, "--out")
        sent = _sent(running, reminders, server, out)
    finally:
        running.close()
    _report([(each.reminder, each.outcome) for each in sent], as_json)
    if not as_json and sent:
        say(f"Written to {out}.")
        if any(each.leads_in for each in sent):
            say("Its links lead in without further proof and show the arm: reading them unblinds (recorded).")


def _sent(running: App, reminders: Reminders, server: MailServer | None, out: Path) -> list[Sent]:
    made: list[Sent] = []
    try:
        if server is None:
            made = reminders.send(None)
        else:
            with MailConnection(server) as mail:
                mail.open()

                def deliver(reminder: Reminder) -> Outcome:
                    subject, body = _subject_and_body(running, reminder)
                    return mail.send(message(server, reminder.address, subject, body, reminder.opt_out))

                made = reminders.send(deliver)
    finally:
        if made:
            write_private(out, _merge_file(running, made).encode())
    return made


def _server(settings: Settings) -> MailServer | None:
    url, sender = (settings.environment.get(name, "").strip() for name in (SERVER, SENDER))
    if sender and not url:
        # Listed only, every reminder would be used up, and no mail would go out.
        remedy = f"set it, or unset {SENDER} to write the file for a mail merge alone"
        raise ProblemsFound([Problem(SERVER, "", "no mail server is set, but a sender is", remedy)])
    return MailServer.parse(url, sender) if url else None


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    try:
        return list(rows_in(io.StringIO(decode_text(path.read_bytes(), str(path)), newline=""), ","))
    except OSError as error:
        raise ProblemsFound([Problem(str(path), "", f"cannot be read ({error.strerror})", "name a CSV file")]) from None
    except ValueError as error:
        raise ProblemsFound([Problem(str(path), "", str(error), "correct the quotes of that row")]) from None


def _subject_and_body(running: App, reminder: Reminder) -> tuple[str, str]:
    """Return subject and body in the participant's language."""
    shelf: TextShelf = running.texts
    texts = shelf[reminder.language or running.study.language]
    moment = texts.figures.moment
    key = "reminder.until" if reminder.closes_at is not None else "reminder.open"
    until = texts.filled(key, date=moment(reminder.closes_at) if reminder.closes_at else moment(reminder.opens_at))
    contact = running.study.contact or texts.filled("refusal.team")
    values = {"title": running.study.title, "link": reminder.link, "until": until, "contact": contact}
    return texts.filled("reminder.subject", **values), texts.filled("reminder.body", opt_out=reminder.opt_out, **values)


def _merge_file(running: App, sent: list[Sent]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    names = ("address", "label", "prolific_pid", "participant_id", "session", "opens_at", "closes_at", "link")
    table.writerow([*names, "opt_out", "subject", "body", "outcome"])
    for each in sent:
        row = asdict(each.reminder)
        # To the minute, as the mail says it: the day is counted from the end of the session before, whose seconds can
        # tell that an assistant failed.
        times = {name: row[name].isoformat(timespec="minutes") for name in ("opens_at", "closes_at") if row[name]}
        cells = [times.get(name) or row[name] or "" for name in names]
        texts = _subject_and_body(running, each.reminder)
        rest = (each.reminder.opt_out, *texts, each.outcome)
        if not each.leads_in:
            # Who has the link comes in as this person and sees their arm: it is in the mail, and nowhere else.
            cells[names.index("link")], rest = "", (each.reminder.opt_out, texts[0], "", each.outcome)
        table.writerow([guard(str(cell)) for cell in (*cells, *rest)])
    return text.getvalue()


def _report(found: list[tuple[Reminder, str]], as_json: bool) -> None:
    if as_json:
        say_json([
            {"participant_id": one.participant_id, "session": one.session, "address": one.address, "outcome": outcome}
            for one, outcome in found
        ])  # fmt: skip
        return
    for one, outcome in found:
        closes = f", until {one.closes_at:%Y-%m-%d %H:%M} UTC" if one.closes_at else ""
        name = one.address or one.label or one.prolific_pid or one.participant_id
        say(f"{outcome:10} {name}   session '{one.session}'{closes}")
    say(f"{len(found)} reminder(s)" if found else "No reminder is due now.")
