"""`study probe`: do the assistants and personas of a study help equally? The same questions to each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any

import typer

from study_app.cli.common import (
    STUDY,
    AsJson,
    DatabaseOption,
    StudyFile,
    app,
    command,
    err,
    say,
    say_json,
    settings_of,
    start,
)
from study_app.domain.assistants.drift import ModelReply, Occasion, served_otherwise
from study_app.domain.assistants.persona_checks.probing import MEASURES, SHARE_MARGIN, WORDS_MARGIN, compared
from study_app.domain.errors import InfrastructureError, UserError
from study_app.services.operation.models.asking import assisted_folders, probed
from study_app.services.operation.models.kept import replies_of
from study_app.services.operation.models.watch import AT_LIMIT

if TYPE_CHECKING:
    from study_app.bootstrap import App

OutFile = Annotated[
    Path | None,
    typer.Option("--out", help="File for the result with every reply, as JSON.", envvar="STUDY_OUT"),
]
_ANSWERING = {"claude": "Claude", "notes": "the embedded assistant", "recorded": "a recording"}
Words = Annotated[
    float,
    typer.Option(
        "--words", min=0.001, max=1, help="Margin of words, as a share of the reference's mean.", envvar="STUDY_WORDS"
    ),
]
Shares = Annotated[
    float,
    typer.Option("--shares", min=0.001, max=1, help="Margin of code share, leak and refusals.", envvar="STUDY_SHARES"),
]


@app.command()
@command
def probe(
    study: StudyFile = STUDY,
    database: DatabaseOption = None,
    words: Words = WORDS_MARGIN,
    shares: Shares = SHARE_MARGIN,
    out: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """Put twelve fixed questions about each task to each assistant and persona, and compare what they give.

    The questions are in English. With a key Claude answers, and its tokens are paid for. Replies are kept in the
    study's database; an export has them, and the report compares them.

    Example: study probe --out documentation/probe.json
    """
    if out is not None:
        _check_out(out)
    running = start(settings_of(study, database), changed_ok=True)
    try:
        names = list(probed(running.study, running.library.specs))
        if not names:
            raise UserError("arms: none has an assistant that answers; a probe needs one")
        if not assisted_folders(running.study):
            raise UserError("stages: none offers an assistant; say assistant = true on a stage of tasks")
        replies = asked_round(running, "probe")
    finally:
        running.close()
    result = summary(running.study.id, replies, names, words, shares)
    result["answered_by"] = {each.treatment: each.provider for each in replies if each.treatment in names}
    result["warnings"] = warnings(replies, names)
    if out is not None:
        _write(out, result | {"replies": [asdict(each) for each in replies]})
    if as_json:
        say_json(result)
        return
    for line in [*lines(result), *(f"warning: {each}" for each in result["warnings"])]:
        say(line)


def asked_round(running: App, occasion: Occasion) -> list[ModelReply]:
    """Ask a round and return its replies.

    Raises:
        InfrastructureError: the provider failed; a comparison without some of the replies would not be of equals.
    """
    made = running.model_watch.round(occasion, "cli")
    if made.note:
        key = " (assistant_policy.study_cost_limit)" if made.note == AT_LIMIT else ""
        raise InfrastructureError(f"{made.note}{key}; the round has ended there")
    with running.context.registry.begin(write=False) as unit:
        replies = replies_of(unit, made.number)
    failed = [each for each in replies if each.error]
    if failed:
        what = f"assistant '{failed[0].treatment}': {failed[0].error}"
        raise InfrastructureError(f"{what}; {len(failed)} of {len(replies)} questions were not answered: run it again")
    return replies


def summary(study: str, probes: Iterable[ModelReply], names: list[str], words: float, shares: float) -> dict[str, Any]:
    """Return the means of each treatment and the differences with their equivalence bounds."""
    from analysis.pipeline.planning.equal_help import equivalence_row

    by = {name: [each for each in probes if each.treatment == name] for name in names}
    values = {name: {m: [float(getattr(p, m)) for p in of] for m in MEASURES} for name, of in by.items()}
    means = {name: {measure: fmean(column) for measure, column in of.items()} for name, of in values.items()}
    rows = []
    for reference, other in compared(names):
        for measure in MEASURES:
            margin = max(words * means[reference]["words"], 1e-9) if measure == "words" else shares
            row = equivalence_row(measure, values[reference][measure], values[other][measure], margin)
            rows.append({"reference": reference, "other": other, **row})
    questions = len(by[names[0]])
    return {"study": study, "questions": questions, "means": means, "differences": rows}


def warnings(replies: Sequence[ModelReply], names: Sequence[str]) -> list[str]:
    """Return what makes a comparison say less than it seems to: another model's replies, or ones without a word."""
    mine = [each for each in replies if each.treatment in names]
    silent = Counter(each.treatment for each in mine if not each.reply.strip() and not each.refused)
    unmatched = Counter(each.treatment for each in mine if each.recorded_match == "none")
    return [
        *(f"'{name}' was {what}" for name, what in served_otherwise(mine).items()),
        *(f"'{name}' gave no word in {count} of its replies" for name, count in silent.items()),
        *(f"the recording of '{name}' knew no answer to {count} of the questions" for name, count in unmatched.items()),
    ]


def lines(result: Mapping[str, Any]) -> list[str]:
    """Return the result as lines for a person."""
    width = max(len("treatment"), *map(len, result["means"]))
    heads = "".join(f"{title:>12}" for title in MEASURES.values())
    said = [f"{result['questions']} questions to each."]
    said += [f"{name} was answered by {_ANSWERING[who]}." for name, who in result.get("answered_by", {}).items()]
    said += ["", f"{'treatment':<{width}}{heads}"]
    for name, means in result["means"].items():
        said.append(f"{name:<{width}}" + "".join(f"{means[measure]:>12.3g}" for measure in MEASURES))
    for row in result["differences"]:
        verdict = "equivalent" if row["equivalent"] else "not shown to be equivalent"
        p = "" if row["p"] is None else f", p {row['p']:.3g}"
        said.append(
            f"{row['other']} less {row['reference']}, {MEASURES[row['measure']]}: {row['difference']:.3g} "
            f"[{row['low']:.3g}, {row['high']:.3g}], margin {row['margin']:.3g}{p}: {verdict}"
        )
    return said


def _check_out(out: Path) -> None:
    """Refuse a place that cannot be written to before anything is asked, and paid for."""
    if out.is_dir():
        raise UserError(f"--out: {out} is a folder; name a file, such as {out / 'probe.json'}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out: {out} cannot be written ({error.strerror})") from None


def _write(out: Path, result: Mapping[str, Any]) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"--out: {out} cannot be written ({error.strerror})") from None
    err.print(f"Written to {out}", markup=False)
