"""`study code`: codebook of interviews, its freeze, coding by it, the gold sample, exchange of codes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from study_app.cli.codes.proposing import asker, proposed, refuse_draft
from study_app.cli.common import (
    STUDY,
    AsJson,
    DatabaseOption,
    Reason,
    app,
    command,
    say,
    say_facts,
    say_json,
    settings_of,
    start,
)
from study_app.domain.errors import Problem, ProblemsFound, UserError
from study_app.domain.records import Kind
from study_app.domain.text_files import decode_text
from study_app.private_files import write_private

if TYPE_CHECKING:
    from study_app.bootstrap import App

WHO = "cli"

code = typer.Typer(no_args_is_help=True, help="Code what participants said.")
interviews = typer.Typer(no_args_is_help=True, help="Themes of interviews, from the codebook to the gold sample.")
app.add_typer(code, name="code")
code.add_typer(interviews, name="interviews")

Study = Annotated[Path, typer.Option("--study", help="Study file.", envvar="STUDY_FILE")]
Of = Annotated[
    Kind,
    typer.Option("--of", help="Whose interviews: real, simulated or preview ones.", envvar="STUDY_OF"),
]
Batch = Annotated[
    str,
    typer.Option(
        "--batch",
        help="After a restore: the provider's batch whose replies to take, or `new` to send anew.",
        envvar="STUDY_BATCH",
    ),
]


@contextmanager
def opened(study: Path, database: str | None) -> Iterator[App]:
    """Open the study for a command, and close it behind it."""
    running = start(settings_of(study, database), changed_ok=True, new_database=False)
    try:
        yield running
    finally:
        running.close()


def _report(found: Any, as_json: bool) -> None:
    if as_json:
        say_json(found.to_json())
    else:
        for line in found.lines():
            say(line)


@interviews.command()
@command
def status(study: Study = STUDY, database: DatabaseOption = None, of: Of = "real", as_json: AsJson = False) -> None:
    """Say how far the coding has come; nothing here is by arm.

    Example: study code interviews status --json
    """
    from study_app.services.researcher.themes.gold import GoldSample

    with opened(study, database) as running:
        _report(GoldSample(running.context).status(of), as_json)


@interviews.command()
@command
def induce(
    study: Study = STUDY,
    database: DatabaseOption = None,
    of: Of = "real",
    out: Annotated[Path, typer.Option("--out", help="Codebook file to write.", envvar="STUDY_OUT")] = Path(
        "codebook.toml"
    ),
    name: Annotated[str, typer.Option("--name", help="Id of the codebook.", envvar="STUDY_NAME")] = "themes",
    themes: Annotated[
        int | None,
        typer.Option("--themes", min=2, max=20, help="How many; else as many as are stable.", envvar="STUDY_THEMES"),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the resampling.", envvar="STUDY_SEED")] = 1,
    coder: Annotated[
        Literal["rules", "claude"],
        typer.Option("--coder", help="Who proposes: groups of words, or Claude.", envvar="STUDY_CODER"),
    ] = "rules",
    as_json: AsJson = False,
) -> None:
    """Propose a codebook from a random half of the interviews, which is drawn at the first call and sealed from coding.

    Read the file, name and define each code, then freeze it.

    Example: study code interviews induce --out codebook.toml
    """
    from study_app.domain.themes.codebook import codebook_text
    from study_app.services.researcher.themes.codebooks import Codebooks

    refuse_draft(out, name)
    with opened(study, database) as running:
        books = Codebooks(running.context)
        half = books.sealed_half(WHO, of)
        book, comments, detail, fault = proposed(half, (name, themes, seed), out, asker(running, coder))
        books.note_proposal(WHO, detail | {"interviews": len(half), "coder": coder, "read_as_codebook": not fault})
    if book is None:
        raise UserError(f"Claude's proposal is not a codebook: {fault}; it is in {detail['reply']}, try again")
    text = codebook_text(book, comments)
    write_private(out, text.encode())
    if as_json:
        say_json({"file": str(out), "interviews": len(half), "codes": list(book.labels), **detail})
        return
    say(f"{out}: {len(book.codes)} themes proposed from {len(half)} interviews.")
    say(f"Read and edit it; then: study code interviews freeze {out} --reason '...'")


@interviews.command()
@command
def freeze(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Codebook file.")],
    reason: Reason,
    study: Study = STUDY,
    database: DatabaseOption = None,
    as_json: AsJson = False,
) -> None:
    """Freeze a codebook: interviews are coded by it from now on, and its hash and time are on record.

    Example: study code interviews freeze codebook.toml --reason "two readers agreed on the codes"
    """
    from study_app.domain.themes.codebook import read_codebook
    from study_app.services.researcher.themes.codebooks import Codebooks

    book = read_codebook(_file_text(file), str(file))
    with opened(study, database) as running:
        version = Codebooks(running.context).freeze(WHO, book, reason)
    if as_json:
        say_json({"version": version, "sha256": book.sha256, "codes": list(book.labels)})
    else:
        say(f"Frozen: {version}, {len(book.codes)} codes, SHA-256 {book.sha256}.")


def _file_text(file: Path) -> str:
    if not file.is_file():
        raise ProblemsFound([Problem(str(file), "", "there is no such file", "give the codebook's file")])
    return decode_text(file.read_bytes(), str(file))


@interviews.command(name="code")
@command
def code_interviews(
    study: Study = STUDY,
    database: DatabaseOption = None,
    of: Of = "real",
    coder: Annotated[
        Literal["rules", "claude"],
        typer.Option("--coder", help="Keywords of the codebook, or Claude in a batch.", envvar="STUDY_CODER"),
    ] = "rules",
    wait: Annotated[
        int, typer.Option("--wait", min=0, help="Seconds to wait for the batch.", envvar="STUDY_WAIT")
    ] = 3600,
    batch: Batch = "",
    as_json: AsJson = False,
) -> None:
    """Code all interviews that have no code by this coder yet; each reply is kept as it came.

    A batch that is still running after --wait seconds is remembered: call the command again to fetch it.

    Example: study code interviews code --coder rules
    """
    from study_app.services.researcher.themes.programs import ProgramCoding

    with opened(study, database) as running:
        programs = ProgramCoding(running.context)
        found: dict[str, Any] = {}
        if coder == "rules":
            found = {"coder": coder, "coded": programs.by_rules(of)}
        elif (claude := asker(running, coder)) is not None:
            found = {"coder": coder, **programs.by_batch(claude, of, seconds=wait, pause=time.sleep, chosen=batch)}
    say_facts(found, as_json)


@interviews.command()
@command
def gold(
    study: Study = STUDY,
    database: DatabaseOption = None,
    of: Of = "real",
    share: Annotated[
        float, typer.Option("--share", min=0, max=1, help="Of the interviews to draw.", envvar="STUDY_SHARE")
    ] = 0.3,
    least: Annotated[int, typer.Option("--least", min=0, help="Draw so many at least.", envvar="STUDY_LEAST")] = 0,
    as_json: AsJson = False,
) -> None:
    """Draw a random sample for people to code; interviews that were in an earlier draw are not drawn from again.

    Example: study code interviews gold --share 0.3 --least 40
    """
    from study_app.services.researcher.themes.gold import GoldSample

    with opened(study, database) as running:
        _report(GoldSample(running.context).draw(WHO, of, share=share, least=least), as_json)


@interviews.command(name="export")
@command
def export_codes(
    out: Annotated[Path, typer.Option("--out", help="File to write, .qdpx.", envvar="STUDY_OUT")],
    study: Study = STUDY,
    database: DatabaseOption = None,
    of: Of = "real",
    blank: Annotated[
        bool,
        typer.Option(
            "--blank", help="Only the interviews drawn for people, without anybody's codes.", envvar="STUDY_BLANK"
        ),
    ] = False,
    coder: Annotated[
        str | None, typer.Option("--coder", help="Only the codes of this person.", envvar="STUDY_CODER")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write interviews and codes as a REFI-QDA project, which programs for qualitative analysis open.

    It holds what people said: keep it as you keep the database.

    Example: study code interviews export --out interviews.qdpx
    """

    def write(exchange: Any) -> dict[str, Any]:
        content, found = exchange.packed(WHO, of, blank=blank, coder=coder)
        write_private(out, content)
        return {"file": str(out), **found}

    _exchange(study, database, as_json, write)


@interviews.command(name="import")
@command
def import_codes(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="REFI-QDA project, .qdpx.")],
    study: Study = STUDY,
    database: DatabaseOption = None,
    of: Of = "real",
    complete: Annotated[
        bool,
        typer.Option(
            "--complete",
            help="Each user has read every interview in it: those without a selection have none of the codes.",
            envvar="STUDY_COMPLETE",
        ),
    ] = False,
    coder: Annotated[
        str | None,
        typer.Option("--coder", help="Whose codes those of the project's one user are.", envvar="STUDY_CODER"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take the codes of people from a REFI-QDA project; each user of the project is a coder.

    Example: study code interviews import coded.qdpx
    """
    _exchange(study, database, as_json, lambda exchange: exchange.read(WHO, of, file, complete=complete, coder=coder))


def _exchange(study: Path, database: str | None, as_json: bool, act: Callable[[Any], dict[str, Any]]) -> None:
    from study_app.services.researcher.themes.exchange import CodeExchange

    with opened(study, database) as running:
        found = act(CodeExchange(running.context))
    say_facts(found, as_json)
