"""The body of `study analyze`: dataset in, results.json, report.html, tables and figures out, all or nothing."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from analysis.data.cell_types import objects_in
from analysis.data.load import load, named_words
from analysis.data.view import view
from analysis.estimators.core.results import _finite as finite
from analysis.pipeline.analyse import analyse_prepared
from analysis.pipeline.planning.plan import load_plan, plan_of
from analysis.pipeline.prepare import Prepared, prepare
from analysis.pipeline.recomputing import recomputed
from analysis.pipeline.sections import agreement_section
from analysis.plotting import saved
from analysis.report import Report, render
from analysis.report.checklists.named import AnsweredItem, answered, text_of
from analysis.report.render import labels_of, stamps
from analysis.report.supplement import supplement
from study_app.domain.errors import UserError
from study_app.domain.study.analysis_plan import Plan

OURS = frozenset(
    {"results.json", "report.html", "report.docx", "report.tex", "report.pdf", "tables", "figures", "supplement"}
)
"""What an earlier run leaves; a folder that holds anything else is not overwritten."""


ENDINGS = {"docx": "docx", "latex": "tex", "pdf": "pdf"}
"""Format beside HTML -> ending of its file."""


@dataclass(frozen=True)
class AnalyzeSummary:
    """What was written, for a person or for `--json`."""

    out: Path
    state: str
    masked: bool
    dry_run: bool
    analysed: dict[str, int]
    """Participants per arm in the first primary analysis."""
    primary: tuple[dict[str, Any], ...]
    """The primary rows as in results.json."""
    rows: int
    not_estimable: int
    deviations: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {**self.__dict__, "out": str(self.out)}


def analyze(
    dataset: Path,
    out: Path,
    plan: Path | None = None,
    seed: int | None = None,
    include_simulated: bool = False,
    include_preview: bool = False,
    formats: Collection[str] = ("html",),
) -> AnalyzeSummary:
    """Analyse a dataset and write everything into `out`.

    Args:
        dataset: directory of `study export`, or a CSV or Parquet table.
        out: folder to write; made, or replaced where an earlier run left it.
        plan: study file or plan; None takes the study file inside the dataset.
        seed: None derives it from the plan; another makes every row exploratory.
        include_simulated: count simulated participants in.
        include_preview: count preview participants in.
        formats: beside report.html: docx, latex, pdf (tables and figures for a manuscript); with any of them, figures
            are written as PNG and PDF, too.

    Raises:
        UserError: the dataset or the plan cannot be used, or `out` holds other people's files; nothing is written.
    """
    given = load_plan(plan) if plan is not None else None
    _check_out(out, dataset)
    columns = given.columns if given is not None else _columns_beside(dataset)
    opened = load(dataset, columns, named_words(given))
    if given is None and objects_in([opened.manifest.get("pool")])[:1] and opened.manifest["pool"].get("plans_differ"):
        raise UserError(f"{dataset}: the plans of its sites differ, see README.md there; give --plan FILE for them all")
    chosen: Plan = given if given is not None else plan_of(opened)
    prepared = prepare(opened, chosen, include_simulated=include_simulated, include_preview=include_preview)
    result = analyse_prepared(prepared, seed=seed)
    report = render(prepared, result)
    files: dict[str, str | bytes] = {"results.json": results_text(result), "report.html": report.html}
    files |= {f"tables/{name}.csv": text for name, text in tables(result).items()}
    files |= {f"figures/{name}.svg": text for name, text in report.figures.items()}
    files |= manuscript_files(prepared, result, report, formats)
    files |= supplement_files(prepared, result)
    _write(out, files)
    return _summary(out, result)


def manuscript_files(
    prepared: Prepared, result: Mapping[str, Any], report: Report, formats: Collection[str]
) -> dict[str, bytes]:
    """Return the report in the formats that were asked for beside HTML, and its figures as PNG and PDF."""
    wanted = [name for name in ENDINGS if name in formats]
    if not wanted:
        return {}
    from analysis.report.formats import WRITERS, manuscript  # python-docx and fpdf2 take half a second to import

    pictures = {name: saved(*drawn, "png") for name, drawn in report.drawn.items()}
    titles = {name: drawn.title for name, drawn in report.drawn.items()}
    found = manuscript(prepared, result, labels_of(prepared), stamps(result), titles)
    files = {f"report.{ENDINGS[name]}": WRITERS[name](found, pictures) for name in wanted}
    files |= {f"figures/{name}.png": picture for name, picture in pictures.items()}
    return files | {f"figures/{name}.pdf": saved(*drawn, "pdf") for name, drawn in report.drawn.items()}


def supplement_files(prepared: Prepared, result: Mapping[str, Any]) -> dict[str, str]:
    """Return the folder with which others compute the primary results again; none while arms are hidden."""
    if prepared.view.hidden:
        return {}
    with threadpool_limits(1):
        found = recomputed(prepared, result["estimates"], result["provenance"]["seed"])
    if found is None:
        return {}
    study = prepared.dataset.study
    return {f"supplement/{name}": text for name, text in supplement(found, study.title or study.id).items()}


def section(dataset: Path, name: str, include_simulated: bool = False, include_preview: bool = False) -> dict[str, Any]:
    """Return one section of results.json, without running the plan; the same figures as in the whole.

    Args:
        dataset: directory of `study export`.
        name: of the section; `agreement` is the only one that stands alone.
        include_simulated: count simulated participants in.
        include_preview: count preview participants in.

    Raises:
        UserError: the dataset cannot be used, or there is no such section.
    """
    if name != "agreement":
        raise UserError(f"--section: '{name}' cannot be computed alone; use agreement")
    opened = load(dataset, {})
    plan = plan_of(opened)
    shown = view(opened, seed=plan.seed, include_simulated=include_simulated, include_preview=include_preview)
    with threadpool_limits(1):
        return dict(finite(agreement_section(opened, shown)))


def checklist(
    dataset: Path,
    name: str,
    plan: Path | None = None,
    include_simulated: bool = False,
    include_preview: bool = False,
) -> tuple[list[AnsweredItem], str]:
    """Return a checklist answered from a dataset, and its text.

    Args:
        dataset: directory of `study export`.
        name: one of `analysis.report.checklists.named.CHECKLISTS`.
        plan: study file or plan; None takes the study file inside the dataset.
        include_simulated: count simulated participants in.
        include_preview: count preview participants in.

    Raises:
        UserError: the dataset or the plan cannot be used.
    """
    given = load_plan(plan) if plan is not None else None
    opened = load(dataset, given.columns if given is not None else {}, named_words(given))
    prepared = prepare(opened, given, include_simulated=include_simulated, include_preview=include_preview)
    items = answered(prepared, analyse_prepared(prepared), name)
    return items, text_of(items, name)


def _columns_beside(dataset: Path) -> Mapping[str, str]:
    """Require a plan for a plain table: nothing else says what its columns mean."""
    if dataset.is_file():
        raise UserError(f"{dataset}: a table needs a plan; give --plan with outcomes, control and columns")
    return {}


def results_text(result: Mapping[str, Any]) -> str:
    """results.json as text: keys in the order of the contract, UTF-8, no NaN."""
    return json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def tables(result: Mapping[str, Any]) -> dict[str, str]:
    """Return the tables of the report as CSV, by name."""
    estimates = [
        {
            **{name: value for name, value in row.items() if name not in ("contrast", "effect_size", "n")},
            "treated": (row["contrast"] or ["", ""])[0],
            "control": (row["contrast"] or ["", ""])[1],
            **{f"effect_size_{key}": value for key, value in (row["effect_size"] or {}).items()},
            "n": " ".join(f"{arm}={count}" for arm, count in row["n"].items()),
        }
        for row in result["estimates"]
    ]
    baseline = [
        {"variable": row["variable"], "level": row["level"], "arm": arm, **cells, "smd": row["smd"]}
        for row in result["baseline"]
        for arm, cells in row["arms"].items()
    ]
    flow = [
        {"arm": "", "step": step, "reason": "", "n": result["flow"][step]} for step in ("assessed", "allocated")
    ] + [{"arm": "", "step": "not allocated", "reason": why, "n": n} for why, n in result["flow"]["excluded"].items()]
    for arm, counts in result["flow"]["arms"].items():
        flow += [{"arm": arm, "step": step, "reason": "", "n": n} for step, n in counts.items() if step != "excluded"]
        flow += [{"arm": arm, "step": "excluded", "reason": why, "n": n} for why, n in counts["excluded"].items()]
    for wave in result["flow"].get("waves", ()):
        flow += [
            {"arm": arm, "step": f"session {wave['number']} {state}", "reason": "", "n": counts[state]}
            for arm, counts in wave["arms"].items()
            for state in ("completed", "due", "lost")
        ]
    items = [
        {
            **{key: row[key] for key in ("item", "type", "concept", "max_points")},
            **{f"share_{arm}": cell["share"] for arm, cell in row["arms"].items()},
            "item_rest_r": row["item_rest_r"],
        }
        for row in result["psychometrics"].get("items", [])
    ]
    sites = result["meta_analysis"]
    found = {"estimates": estimates, "baseline": baseline, "flow": flow, "items": items, "meta_analysis": sites}
    return {name: _csv(rows) for name, rows in found.items() if rows}


def _csv(rows: Iterable[Mapping[str, Any]]) -> str:
    listed = list(rows)
    columns = list(dict.fromkeys(key for row in listed for key in row))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({key: "" if value is None else value for key, value in row.items()} for row in listed)
    return buffer.getvalue()


def _check_out(out: Path, dataset: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: is a file; give a folder for the results")
    if dataset.resolve() == out.resolve() or (dataset.is_dir() and out.resolve() in dataset.resolve().parents):
        raise UserError(f"{out}: holds the dataset itself; give another folder for the results")
    foreign = sorted(path.name for path in out.iterdir() if path.name not in OURS) if out.is_dir() else []
    if foreign:
        raise UserError(f"{out}: holds files that are not ours ({', '.join(foreign[:3])}); give an empty folder")


def _write(out: Path, files: Mapping[str, str | bytes]) -> None:
    """Write beside the target, then put it in place: no half-written result is ever seen."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror}); give a folder you may write to") from None
    try:
        for name, text in files.items():
            path = fresh / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
        if out.is_dir():
            old = fresh.with_name(f"{fresh.name}-old")
            out.rename(old)
            fresh.rename(out)
            shutil.rmtree(old)
        else:
            fresh.rename(out)
    except OSError as error:
        raise UserError(
            f"{out}: cannot be written ({error.strerror}); free some space or give another folder"
        ) from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _summary(out: Path, result: Mapping[str, Any]) -> AnalyzeSummary:
    rows = result["estimates"]
    return AnalyzeSummary(
        out=out,
        state=result["state"],
        masked=result["masked"],
        dry_run=result["dry_run"],
        analysed={arm: counts["analysed"] for arm, counts in result["flow"]["arms"].items()},
        primary=tuple(row for row in rows if row["role"] == "primary"),
        rows=len(rows),
        not_estimable=sum(row["note"].startswith("not estimable") for row in rows),
        deviations=tuple(result["deviations"]),
        warnings=tuple(result["warnings"]),
    )
