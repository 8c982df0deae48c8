"""`study create-links`: the links by which participants come in."""

from __future__ import annotations

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
    err,
    require_writable_folder,
    say,
    say_json,
    settings_of,
    start,
)
from study_app.content.qr import qr_svg
from study_app.domain.errors import Problem, ProblemsFound, UserError
from study_app.domain.text_files import decode_text
from study_app.private_files import write_private

if TYPE_CHECKING:
    from study_app.bootstrap import App
    from study_app.settings import Settings


@app.command("create-links")
@command
def create_links(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    count: Annotated[
        int | None, typer.Option("--count", min=1, max=100_000, help="Number of links.", envvar="STUDY_COUNT")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="Text or CSV file, one label per line.", envvar="STUDY_LABELS")
    ] = None,
    base: Annotated[
        str,
        typer.Option(
            "--base-url",
            help="Public address of the study, such as https://study.example.org.",
            envvar="STUDY_BASE_URL",
        ),
    ] = "",
    test: Annotated[
        bool,
        typer.Option(
            "--test", help="Make one test entry, which lets in previews only, also after launch.", envvar="STUDY_TEST"
        ),
    ] = False,
    short: Annotated[
        bool, typer.Option("--short", help="Print short addresses, for paper.", envvar="STUDY_SHORT")
    ] = False,
    qr: Annotated[
        Path | None, typer.Option("--qr", help="Folder for a QR code of each link.", envvar="STUDY_QR")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make single-use participant links, printed once and stored as hashes.

    Example: study create-links --count 30 --short --qr codes --base-url https://study.example.org
    """
    from study_app.services.researcher.links import check_base

    if test:
        _create_test(settings_of(study, database), base, as_json)
        return
    names = _labels(labels) if labels else None
    if count is None and names is None:
        raise UserError("--count or --labels is required: give --count N or --labels FILE")
    settings = settings_of(study, database)
    address = check_base(base or f"http://{settings.host}:{settings.port}", "--base-url")
    if qr is not None:
        require_writable_folder(qr, "--qr")
    running = start(settings)
    try:
        for warning in _of_provider(running, str(study)):
            err.print(f"warning: {warning}", markup=False)
        made = running.links.create(count, names, source=str(labels) if labels else "--count")
    finally:
        running.close()
    shown = [(link.short(address) if short else link.address(address), link.label) for link in made]
    # Printed before anything is drawn: what is stored of a link does not give it again.
    if as_json:
        say_json([{"link": found, "label": label} for found, label in shown])
    else:
        for found, label in shown:
            say(f"{found}\t{label}" if label else found)
    if qr is not None:
        _draw_codes(qr, [link.short(address) for link in made])


def _draw_codes(folder: Path, addresses: list[str]) -> None:
    """Write a QR code for each link, numbered in their order; who has the file can come in by it."""
    for number, address in enumerate(addresses, start=1):
        write_private(folder / f"link_{number:04d}.svg", qr_svg(address).encode())


def _create_test(settings: Settings, base: str, as_json: bool) -> None:
    from study_app.services.researcher.links import check_base

    site = check_base(base or f"http://{settings.host}:{settings.port}", "--base-url")
    running = start(settings)
    try:
        address = running.links.create_test().address(site)
    finally:
        running.close()
    say_json({"link": address, "kind": "preview"}) if as_json else say(address)


def _of_provider(running: App, file: str) -> list[str]:
    """Return what to know about the assistant before links go out; a provider that cannot be asked keeps none back.

    Raises:
        ProblemsFound: the assistant that the links lead to could not answer as declared.
    """
    asked = running.ask_provider(file)
    asked.refuse_problems()
    return [*asked.unreachable, *asked.warnings]


def _labels(path: Path) -> list[str]:
    from study_app.services.researcher.links import labels_in

    try:
        text = decode_text(path.read_bytes(), str(path))
    except OSError as error:
        raise ProblemsFound(
            [Problem(str(path), "", f"cannot be read ({error.strerror})", "name a text file")]
        ) from None
    return labels_in(text, str(path), table=path.suffix.lower() == ".csv")
