"""Any damage to the files of a dataset: `verify` ends with findings, the analysis with tables or one typed error."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import DataFrame
from support.hostile.hostile_files import damage
from support.trials.export_world import trial

from analysis.data.load import load
from analysis.data.view import view
from analysis.pipeline.planning.plan import plan_of
from study_app.dataset.verification import verify
from study_app.domain.errors import UserError
from study_app.services.researcher.exporting.export import export

SEEDS = st.integers(0, 2**32)
FEW = settings(max_examples=25, derandomize=True)
MANY = 1000


@contextmanager
def damaged(seed: int, source: Path):
    """A copy of a dataset after damage that the seed determines."""
    with tempfile.TemporaryDirectory(prefix="study-test-") as folder:
        copy = Path(folder) / "dataset"
        shutil.copytree(source, copy)
        damage(copy, Random(seed))
        yield copy


def sources() -> list[Path]:
    return [trial().dataset(state) for state in ("unsealed", "closed", "all")]


def verified(seed: int, source: Path) -> None:
    """Verify ends with a report that can be printed, and no check met what it was not made for."""
    with damaged(seed, source) as copy:
        try:
            report = verify(copy)
        except UserError:
            return
        stopped = [finding.message for finding in report.findings if finding.name == "check_stopped"]
        assert not stopped, (seed, stopped)
        "\n".join(report.lines()).encode()
        json.dumps(report.to_json(), ensure_ascii=False, allow_nan=False).encode()


def loaded(seed: int, source: Path, every_table: bool = True) -> None:
    """The analysis has every table and its plan, or says in one error what is wrong."""
    with damaged(seed, source) as copy:
        try:
            opened = load(copy)
            assert set(opened.participants) >= {"participant_id", "arm", "status"}
            plan = plan_of(opened)
            shown = view(opened, control=plan.control, seed=plan.seed, include_preview=True)
        except UserError:
            return
        for name in shown.tables if every_table else ():
            with suppress(UserError):
                assert isinstance(shown.tables[name], DataFrame)


@FEW
@given(SEEDS)
def test_any_damage_to_a_dataset_is_findings_or_one_error_of_verify(seed):
    verified(seed, sources()[seed % 3])


@FEW
@given(SEEDS)
def test_any_damage_to_a_dataset_leaves_the_analysis_with_tables_or_one_error(seed):
    loaded(seed, sources()[seed % 3], every_table=False)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("check", [verified, loaded])
@pytest.mark.parametrize("fmt", ["csv", "parquet"])
def test_a_thousand_damaged_datasets_are_findings_or_typed_errors(tmp_path, check, fmt):
    export(trial().app.context, tmp_path / "dataset", include_preview=True, fmt=fmt)
    for seed in range(MANY // 2):
        check(seed, tmp_path / "dataset")


KINDS = "kinds"
"""The key that is tried by default."""


@pytest.mark.parametrize(
    ("value", "only"),
    [(None, KINDS), *(pytest.param(value, "", marks=pytest.mark.slow) for value in (None, 3, [None], "x", {}))],
)
def test_a_manifest_whose_keys_hold_something_else_stops_no_check(tmp_path, value, only):
    source = tmp_path / "dataset"
    export(trial().app.context, source, include_preview=True)
    path = source / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for key in [only] if only else manifest:
        path.write_text(json.dumps(manifest | {key: value}), encoding="utf-8")
        try:
            report = verify(source)
        except UserError:
            continue
        assert [finding.message for finding in report.findings if finding.name == "check_stopped"] == [], key
        with suppress(UserError):
            opened = load(source)
            view(opened, control=plan_of(opened).control, seed=plan_of(opened).seed, include_preview=True)
