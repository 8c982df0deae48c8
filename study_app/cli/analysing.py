"""`study analyze, power, import-transcripts, code-queries`: the analysis, which never sees the running app."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from study_app.cli.common import (
    AsJson,
    DatasetArgument,
    Out,
    Preview,
    Simulated,
    app,
    command,
    say,
    say_json,
)
from study_app.domain.errors import UserError

FORMATS = ("html", "docx", "latex", "pdf")
"""Of the report; HTML is always written."""
USUAL_LEVEL = 0.95
"""Of an interval that is printed without its level."""


@app.command()
@command
def analyze(
    dataset: DatasetArgument,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write.", envvar="STUDY_OUT")] = None,
    plan: Annotated[Path | None, typer.Option("--plan", help="Study file or plan.", envvar="STUDY_PLAN")] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", help="Seed in place of the plan's; makes every row exploratory.", envvar="STUDY_SEED"),
    ] = None,
    include_simulated: Simulated = False,
    include_preview: Preview = False,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            help="Beside report.html: docx, latex or pdf, with figures as PNG and PDF; may be repeated.",
            envvar="STUDY_FORMAT",
        ),
    ] = None,
    section: Annotated[
        Literal["agreement"] | None,
        typer.Option("--section", help="Print one section of results.json and write nothing.", envvar="STUDY_SECTION"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the analysis plan on a dataset: results.json, report.html, tables and figures."""
    from analysis.cli import analyze as run
    from analysis.cli import section as one_section

    if section is not None:
        say_json(one_section(dataset, section, include_simulated, include_preview))
        return
    if out is None:
        raise UserError("--out: the folder for the results is missing; give --out DIR")
    for name in formats or ():
        if name not in FORMATS:
            raise UserError(f"--format: '{name}' is not a format; give one of {', '.join(FORMATS)}")
    summary = run(dataset, out, plan, seed, include_simulated, include_preview, formats or ())
    if as_json:
        say_json(summary.to_json())
        return
    stamp = " (DRY RUN on shuffled labels)" if summary.dry_run else " (arms masked)" if summary.masked else ""
    say(f"State: {summary.state}{stamp}")
    for row in summary.primary:
        say(_estimate_line(row))
    say(f"{summary.rows} rows, {summary.not_estimable} of them not estimable")
    for line in (*summary.deviations, *summary.warnings):
        say(f"note: {line}")
    say(f"{out / 'report.html'}")


def _estimate_line(row: dict[str, Any]) -> str:
    contrast = " - ".join(row["contrast"]) if row["contrast"] else ""
    name = f"{row['outcome']} ({contrast})" if contrast else row["id"]
    p = f"p = {row['p_value']:.4f}" if row["p_value"] is not None else ""
    p += f", adjusted {row['p_adjusted']:.4f}" if row["p_adjusted"] is not None else ""
    if row["estimate"] is None:
        return f"{name}: {p}; {row['note']}" if p else f"{name}: {row['note']}"
    interval = f"[{row['ci_low']:.3g}, {row['ci_high']:.3g}]" if row["ci_low"] is not None else ""
    interval += f" ({100 * row['ci_level']:g}%)" if interval and row["ci_level"] != USUAL_LEVEL else ""
    return " ".join(part for part in (f"{name}: {row['estimate']:.3g}", row["unit"], interval, p) if part)


@app.command("report")
@command
def report(
    dataset: DatasetArgument,
    checklist: Annotated[
        Literal["consort", "erct", "ai-rct", "llm-se"],
        typer.Option("--checklist", help="Which to fill in.", envvar="STUDY_CHECKLIST"),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write, as Markdown; else it is printed.", envvar="STUDY_OUT")
    ] = None,
    plan: Annotated[Path | None, typer.Option("--plan", help="Study file or plan.", envvar="STUDY_PLAN")] = None,
    include_simulated: Simulated = False,
    include_preview: Preview = False,
    as_json: AsJson = False,
) -> None:
    """Fill in a reporting checklist from a dataset: what answers each item, where that is found, and what is open.

    Example: study report data --checklist consort
    """
    from analysis.cli import checklist as filled
    from analysis.report.checklists.sources import CAVEATS

    items, text = filled(dataset, checklist, plan, include_simulated, include_preview)
    if out is not None:
        out.write_text(text, encoding="utf-8")
    if as_json:
        listed = [item._asdict() for item in items]
        left = sum(item.open for item in items)
        say_json({"checklist": checklist, "about": CAVEATS[checklist], "items": listed, "open": left})
    else:
        say(text if out is None else str(out))


@app.command("import-transcripts")
@command
def import_transcripts(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the published annotated transcripts.")],
    out: Out,
    as_json: AsJson = False,
) -> None:
    """Convert the published annotated transcripts into a dataset."""
    from analysis.published_study import import_transcripts as read

    report = read(folder, out)
    if as_json:
        say_json(report.to_json())
        return
    arms = ", ".join(f"{arm} {count}" for arm, count in report.arms.items())
    say(f"{report.participants} participants ({arms}), {report.events} events, {report.queries} queries -> {out}")
    if report.empty_queries:
        say(f"{len(report.empty_queries)} of the queries are empty: {', '.join(report.empty_queries)}")
    say(f"{len(report.repairs)} irregularities, each listed in {out / 'CHANGES.md'}")


@app.command("code-queries")
@command
def code_queries(
    dataset: DatasetArgument,
    coder: Annotated[Literal["rules", "claude"], typer.Option("--coder", envvar="STUDY_CODER")] = "rules",
    as_json: AsJson = False,
) -> None:
    """Code each query to the assistant, and report agreement with human codes where there are any."""
    from analysis.interaction.coders.coding import code_queries as code

    report = code(dataset, coder)
    if as_json:
        say_json(report)
        return
    for entry in report["codes"]:
        say(f"{entry['turn_id']}\t{entry['participant_id']}\t{', '.join(entry['labels'])}")
    for turn, reason in report["uncoded"].items():
        say(f"{turn}\tuncoded: {reason}")
    say(f"{len(report['codes'])} of {report['queries']} queries coded by {coder}")
    for label, found in report.get("agreement", {}).items():
        if found["kappa"] is None:
            say(f"{label:14} kappa not defined, n = {found['n']}")
        else:
            interval = f"[{found['ci_low']:.3f}, {found['ci_high']:.3f}]"
            say(f"{label:14} kappa {found['kappa']:.3f} {interval}, n = {found['n']}")


__all__ = ["analyze", "code_queries", "import_transcripts"]
