"""`study probe`: do the assistants and personas of a study help equally? The same questions to each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import typer

from study_app.cli.common import STUDY, AsJson, StudyFile, app, command, err, say, say_json, settings_of
from study_app.content.library import FolderLibrary
from study_app.domain.assistants.probing import (
    MEASURES,
    SHARE_MARGIN,
    WORDS_MARGIN,
    Probe,
    compared,
    measured,
    questions_for,
)
from study_app.domain.assistants.treatments import AssistantRequest, AssistantSpec, TextDelta
from study_app.domain.errors import AssistantUnavailable, InfrastructureError, UserError
from study_app.domain.study.study import Study
from study_app.ports import Assistant

OutFile = Annotated[
    Path | None,
    typer.Option("--out", help="File for the result with every reply, as JSON.", envvar="STUDY_OUT"),
]
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
    words: Words = WORDS_MARGIN,
    shares: Shares = SHARE_MARGIN,
    out: OutFile = None,
    as_json: AsJson = False,
) -> None:
    """Put twelve fixed questions about each task to each assistant and persona, and compare what they give.

    The questions are in English. With a key Claude answers, and its tokens are paid for.

    Example: study probe --out documentation/probe.json
    """
    from study_app.bootstrap.contents import open_assistants, open_library

    library = open_library(study)
    names = list(probed(library.study, library.specs))
    if not names:
        raise UserError("arms: none has an assistant that answers; a probe needs one")
    if not assisted_folders(library.study):
        raise UserError("stages: none offers an assistant; say assistant = true on a stage of tasks")
    if out is not None and out.is_dir():
        raise UserError(f"--out: {out} is a folder; name a file, such as {out / 'probe.json'}")
    assistants = open_assistants(library, settings_of(study), 0.0)
    probes = asyncio.run(_all(library, {name: assistants[name] for name in names}))
    result = summary(library.study.id, probes, names, words, shares)
    result["answered_by"] = {name: assistants[name].id for name in names}
    if out is not None:
        _write(out, result | {"replies": [asdict(each) for each in probes]})
    if as_json:
        say_json(result)
        return
    for line in lines(result):
        say(line)


def probed(study: Study, specs: Mapping[str, AssistantSpec]) -> dict[str, AssistantSpec]:
    """Return the treatments of the arms, in the arms' order; assistants that act are left out, for they take steps."""
    names = dict.fromkeys(arm.treatment for arm in study.arms if arm.treatment)
    return {name: specs[name] for name in names if not specs[name].acts}


def assisted_folders(study: Study) -> tuple[str, ...]:
    """Return the folders of the packs on which people may ask an assistant, variants among them."""
    named = [folder for stage in study.stages if stage.kind == "tasks" and stage.assistant for folder in stage.packs]
    shown = [arm.shown(folder) for folder in named for arm in study.arms if arm.assistant]
    return tuple(dict.fromkeys([*named, *shown]))


async def _all(library: FolderLibrary, assistants: Mapping[str, Assistant]) -> list[Probe]:
    found = []
    for folder in assisted_folders(library.study):
        pack = library.pack(folder)
        given = f"{pack.starter}\n{pack.brief}"
        for question in questions_for(pack.solution):
            request = AssistantRequest(
                question,
                pack.brief,
                pack.starter,
                task=folder.rsplit("/", 1)[-1],
                pack=folder,
                starter=pack.starter,
                language=library.study.language,
            )
            for name, assistant in assistants.items():
                reply, declined = await _reply(name, assistant, request)
                found.append(
                    measured(
                        name, request.task, question, reply, solution=pack.solution, given=given, declined=declined
                    )
                )
    return found


async def _reply(name: str, assistant: Assistant, request: AssistantRequest) -> tuple[str, bool]:
    """Return what an assistant says, and whether its provider declined.

    Raises:
        InfrastructureError: the provider failed; a comparison without some of the replies would not be of equals.
    """
    pieces: list[str] = []
    try:
        async for piece in assistant.reply(request):
            if isinstance(piece, TextDelta):
                pieces.append(piece.text)
    except AssistantUnavailable as error:
        if error.kind != "refused":
            raise InfrastructureError(f"assistant '{name}': {error}; run the probe again") from None
        return "".join(pieces), True
    return "".join(pieces), False


def summary(study: str, probes: Iterable[Probe], names: list[str], words: float, shares: float) -> dict[str, Any]:
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


def lines(result: Mapping[str, Any]) -> list[str]:
    """Return the result as lines for a person."""
    width = max(len("treatment"), *map(len, result["means"]))
    heads = "".join(f"{title:>12}" for title in MEASURES.values())
    said = [f"{result['questions']} questions to each.", "", f"{'treatment':<{width}}{heads}"]
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


def _write(out: Path, result: Mapping[str, Any]) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"--out: {out} cannot be written ({error.strerror})") from None
    err.print(f"Written to {out}", markup=False)
