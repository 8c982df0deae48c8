"""Open a dataset directory, or a plain table collected elsewhere, for analysis.

Only what the analysis asks for is read: tables open on first use. Hashes of the files are compared with the
manifest and a difference is a warning here; `study verify` is the judge.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, get_args

from analysis.data.cell_types import dataset_types, objects_in
from analysis.data.dataset import REQUIRED_COLUMNS, Dataset, DeclaredArm, StudyMeta, Tables, check_participants
from analysis.data.plain_table import load_plain
from study_app.dataset.border.folders import bounded_bytes, bounded_text, check_folder
from study_app.dataset.schema import parsed_json
from study_app.dataset.schema.file_names import table_of
from study_app.dataset.schema.versions import read_version
from study_app.domain.allocation.arms import whole_weight
from study_app.domain.errors import Problem, ProblemsFound, UserError
from study_app.domain.study.analysis_plan import Plan
from study_app.domain.study.study import Study
from study_app.domain.text_files import decode_text, parse_toml
from study_app.domain.trial_state import State


def load(
    path: Path | str, columns: Mapping[str, str] | None = None, labels: Mapping[str, Collection[str]] | None = None
) -> Dataset:
    """Open a dataset directory, or a plain CSV or Parquet table.

    Args:
        path: the directory that `study export` wrote, or a `.csv` or `.parquet` file.
        columns: for a plain table: our column name -> theirs (the plan's `columns`).
        labels: for a plain table: our column name -> words that are labels in it, and not marks of missing values
            (`named_words` of a plan).

    Raises:
        BeyondLimits: it holds more than is read of a dataset.
        UserError: nothing is there, or it is not a dataset.
        ProblemsFound: required columns are missing, ids come twice, numbers cannot be read; all at once.
    """
    path = Path(path)
    if path.is_dir():
        return _load_directory(path)
    if not path.is_file():
        raise UserError(f"{path}: no dataset is there; give the directory that `study export --out` wrote, or a table")
    return load_plain(path, dict(columns or {}), labels or {})


def named_words(plan: Plan | None) -> dict[str, frozenset[str]]:
    """Return column -> the words in it that a plan names, which are labels whatever they look like.

    Its arms (`control`, `contrast`) and the levels that covariates have scores for.
    """
    if plan is None:
        return {}
    found = {entry.column: frozenset(entry.scores) for entry in plan.covariates if entry.scores}
    arms = {plan.control, *(arm for row in plan.analyses for arm in row.contrast)} - {""}
    return found | ({"arm": frozenset(arms)} if arms else {})


def _load_directory(path: Path) -> Dataset:
    check_folder(path)
    manifest = _read_json(path / "manifest.json")
    files = {}
    for file in sorted((path / "data").glob("*_data.*")):
        table = table_of(file.name)
        if table is not None:
            files[table] = file
    if "participants" not in files:
        raise UserError(
            f"{path}: no participants table under data/; give the directory that `study export --out` wrote"
        )
    digest, warnings = _digests(path, files, manifest)
    study = _study(path, manifest)
    tables = Tables(files, types=dataset_types(path, manifest, study.study, study.raw))
    check_participants(tables["participants"], files["participants"].name, REQUIRED_COLUMNS)
    return Dataset(path, tables, study, digest, manifest, tuple(warnings))


def _digests(path: Path, files: Mapping[str, Path], manifest: Mapping[str, Any]) -> tuple[str, list[str]]:
    listed = {str(entry["path"]): entry.get("sha256") for entry in objects_in(manifest.get("files")) if "path" in entry}
    whole = hashlib.sha256()
    warnings = []
    for file in sorted(files.values()):
        name = file.relative_to(path).as_posix()
        if not file.is_file():
            raise UserError(f"{file}: is not a file; export again")
        try:
            with file.open("rb") as handle:
                digest = hashlib.file_digest(handle, "sha256").hexdigest()
        except OSError as error:
            raise UserError(f"{file}: cannot be read ({error.strerror}); export again") from None
        whole.update(f"{name} {digest}\n".encode())
        if name not in listed:
            warnings.append(f"{name} is not in the manifest; `study verify` says more")
        elif listed[name] != digest:
            warnings.append(f"{name} differs from its hash in the manifest: changed after the export")
    return whole.hexdigest(), warnings


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = parsed_json(bounded_text(path))
    except FileNotFoundError:
        raise UserError(f"{path.parent}: manifest.json is missing; give the directory `study export` wrote") from None
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: not readable as JSON ({error}); export again") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: holds no JSON object; export again")
    return value


def _study(path: Path, manifest: Mapping[str, Any]) -> StudyMeta:
    found = study_file(path)
    raw = read_study_file(found) if found else {}
    file = found.relative_to(path).as_posix() if found else ""
    arms = _arms(raw, file)
    control = next((str(entry["id"]) for entry in _arm_entries(raw) if entry.get("control")), "")
    return StudyMeta(
        id=str(manifest.get("study_id", raw.get("id", ""))),
        title=str(raw.get("title", "")),
        description=str(raw.get("description", "")),
        state=_state(manifest, path),
        arms=arms,
        control=control or next((arm.id for arm in arms if not arm.assistant), ""),
        file=file,
        raw=raw,
        study=typed_study(raw),
        coder=str(coding.get("coder", "")) if isinstance(coding := manifest.get("coding"), Mapping) else "",
    )


def typed_study(raw: Mapping[str, Any]) -> Study | None:
    """Return a study file as types; None where this version cannot read it."""
    try:
        return read_version(json.dumps(raw)) if raw else None
    except ValueError:
        return None


def study_file(path: Path) -> Path | None:
    """Return the study file inside a dataset's materials, or None."""
    for pattern in ("study.toml", "study.json", "*study*.toml", "*study*.json", "*.toml"):
        found = sorted((path / "materials").glob(pattern))
        if found:
            return found[0]
    return None


def read_study_file(path: Path) -> dict[str, Any]:
    """Return a study file as a dictionary, without judging it.

    Raises:
        UserError: not there, or neither TOML nor JSON.
    """
    try:
        text = decode_text(bounded_bytes(path), str(path))
        value = parsed_json(text) if path.suffix == ".json" else parse_toml(text)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; give a study file or a plan") from None
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: cannot be read ({error}); correct the file") from None
    if not isinstance(value, dict):
        raise UserError(f"{path}: holds no table; give a study file or a plan")
    return value


def _arm_entries(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = raw.get("arms")
    if isinstance(entries, Mapping):
        entries = [{"id": name, **entry} for name, entry in entries.items() if isinstance(entry, Mapping)]
    return [entry for entry in objects_in(entries) if "id" in entry]


def _arms(raw: Mapping[str, Any], file: str) -> tuple[DeclaredArm, ...]:
    """Return the arms that the file declares.

    Raises:
        ProblemsFound: weights that allocation could not have used, all of them by name.
    """
    arms, problems = [], []
    for entry in _arm_entries(raw):
        name, weight = str(entry["id"]), 1
        try:
            weight = whole_weight(entry.get("weight", 1))
        except ValueError as error:
            what, _, remedy = str(error).partition("; ")
            problems.append(Problem(file, f"arms.{name}.weight", what, f"{remedy}, or export again"))
        arms.append(DeclaredArm(name, str(entry.get("label", "")), weight, bool(entry.get("assistant"))))
    if problems:
        raise ProblemsFound(problems)
    return tuple(arms)


def _state(manifest: Mapping[str, Any], path: Path) -> str:
    """Return the trial's state at export; a manifest that names none is of data that were never masked.

    Raises:
        ProblemsFound: it names a state that no trial has, so what may be seen cannot be known.
    """
    state = manifest.get("state", "unsealed")
    if state not in get_args(State):
        what = f"{state!r} is not a state of a trial"
        remedy = f"it is one of {', '.join(get_args(State))}: export again"
        raise ProblemsFound([Problem(str(path / "manifest.json"), "state", what, remedy)])
    return str(state)
