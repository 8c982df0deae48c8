"""Datasets of several sites become one: whose a row is stays known, and each site's ledger stays its own."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.trials.export_world import ROOT, table, trial
from support.trials.simulations import run

from analysis.cli import analyze
from analysis.data.load import load
from analysis.data.view import view
from analysis.pipeline.trial_ledger import PooledLedger, ledger_of
from study_app.dataset.findings import VerifyReport
from study_app.dataset.pooling.pool import pool
from study_app.dataset.reading.dataset import open_dataset
from study_app.dataset.verification import verify
from study_app.dataset.verification.pools import check_pool
from study_app.domain.errors import ProblemsFound, UserError
from study_app.services.researcher.exporting.export import export


def study_at(folder: Path, name: str, **changes: str) -> Path:
    """The shipped study under another id, beside links to its content."""
    for part in ("tasks", "quizzes", "assistants"):
        (folder / part).symlink_to(ROOT / part)
    text = (ROOT / "study.toml").read_text(encoding="utf-8")
    (found,) = [line for line in text.splitlines() if line.startswith("id = ")][:1]
    for old, new in ({found: f'id = "{name}"'} | changes).items():
        assert old in text, old
        text = text.replace(old, new, 1)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder / "study.toml"


def site(folder: Path, name: str, seed: int, **changes: str) -> Path:
    """A simulated trial's dataset."""
    folder.mkdir(parents=True)
    app, _ = run(folder, study_at(folder, name, **changes), seed=seed, participants=8)
    export(app.context, folder / name, include_simulated=True)
    app.close()
    return folder / name


def manifest_of(dataset: Path) -> dict:
    return json.loads((dataset / "manifest.json").read_text(encoding="utf-8"))


def altered(source: Path, target: Path, **changes) -> Path:
    """A dataset whose manifest says other things: of another study, of an earlier layout, with identities."""
    shutil.copytree(source, target)
    manifest = manifest_of(target) | changes
    (target / "manifest.json").write_text(json.dumps(manifest))
    return target


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    """Two trials with the same ids."""
    folder = tmp_path_factory.mktemp("sites")
    given = trial().dataset("unsealed")
    other = altered(given, folder / "south", study_id="south", commitment="0" * 64)
    return [altered(given, folder / "north", study_id="north"), other]


@pytest.fixture(scope="module")
def pooled(sites, tmp_path_factory):
    out = tmp_path_factory.mktemp("pool") / "pool"
    summary = pool([str(path) for path in sites], out)
    assert summary.sites == dict.fromkeys(("north", "south"), len(table(sites[0], "participants")))
    return out


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Two simulated trials and their pool."""
    folder = tmp_path_factory.mktemp("simulated")
    given = [site(folder / "a", "north", 7), site(folder / "b", "south", 7)]
    pool([str(path) for path in given], folder / "pool")
    return folder / "pool"


def test_every_row_of_every_site_is_in_the_pool_under_its_site(sites, pooled):
    # The ids clash, and stay apart.
    first, second = ({row["participant_id"] for row in table(path, "participants")} for path in sites)
    assert first & second
    for name in (
        "participants",
        "allocations",
        "visits",
        "events",
        "runs",
        "turns",
        "answers",
        "ratings",
        "compliance",
    ):
        rows = table(pooled, name)
        expected = [(path.name, row) for path in sites for row in table(path, name)]
        assert len(rows) == len(expected)
        for row, (where, given) in zip(rows, expected, strict=True):
            assert (row["site"], row["study_id"]) == (where, where)
            for column, cell in given.items():
                if column in ("participant_id", "run_id", "turn_id", "rating_id"):
                    assert row[column] == (f"{where}.{cell}" if cell else "")
                elif column not in ("event_id", "payload", "object", "stratum"):
                    assert row[column] == cell, (name, column)
    events = table(pooled, "events")
    assert [int(row["event_id"]) for row in events] == list(range(1, len(events) + 1))
    runs = {row["run_id"] for row in table(pooled, "runs")}
    named = {json.loads(row["payload"])["run_id"] for row in events if row["kind"] == "run_started"}
    assert named
    assert named <= runs
    assert {row["stratum"].split(";")[0] for row in table(pooled, "participants") if row["arm"]} == {
        "site=north",
        "site=south",
    }


def test_the_same_datasets_give_the_same_bytes_and_each_site_is_whole_within(sites, pooled, tmp_path):
    again = tmp_path / "again"
    pool([str(path) for path in sites], again)
    held = [
        {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (pooled, again)
    ]
    assert held[0] == held[1]
    for path in sites:
        assert (pooled / "sites" / path.name / "manifest.json").read_bytes() == (path / "manifest.json").read_bytes()


def test_an_altered_row_of_the_pool_is_found(pooled, tmp_path):
    opened = open_dataset(pooled, VerifyReport(str(pooled)))
    check_pool(opened)
    assert opened.report.ok
    copy = tmp_path / "copy"
    shutil.copytree(pooled, copy)
    (people,) = (copy / "data").glob("*participants_data.csv")
    people.write_bytes(people.read_bytes().replace(b"site=north", b"site=south", 1))
    opened = open_dataset(copy, VerifyReport(str(copy)))
    check_pool(opened)
    assert [(found.name, found.file) for found in opened.report.findings] == [("file_altered", f"data/{people.name}")]


def test_a_pool_is_described_for_archives_and_other_tools(sites, pooled):
    assert manifest_of(pooled)["pool"]["plans_differ"] is False
    package = json.loads((pooled / "datapackage.json").read_text())
    keys = {each["name"]: each["schema"].get("primaryKey") for each in package["resources"]}
    for resource in package["resources"]:
        rows = table(pooled, resource["name"])
        assert not rows or list(rows[0]) == [field["name"] for field in resource["schema"]["fields"]]
        if key := keys[resource["name"]]:
            assert len({tuple(row[name] for name in key) for row in rows}) == len(rows), resource["name"]
        for field in resource["schema"]["fields"]:
            allowed = {str(value) for value in field.get("constraints", {}).get("enum", ())}
            assert not allowed or {row[field["name"]] for row in rows} <= allowed | {""}, field["name"]
    described = json.loads((pooled / "dataset_description.json").read_text())
    given = json.loads((sites[0] / "dataset_description.json").read_text())
    assert described["author"] == given["author"]
    assert described["temporalCoverage"] == given["temporalCoverage"]
    held = json.loads((pooled / "croissant.json").read_text())["distribution"]
    assert {each["name"] for each in held} == {path.name for path in (pooled / "data").glob("*.csv")}
    readme = (pooled / "README.md").read_text(encoding="utf-8")
    assert all(part in readme for part in ("import read", "read_dataset()", "[Data set]", "documentation/codebook.md"))
    said = subprocess.run([sys.executable, "read.py"], cwd=pooled, capture_output=True, text=True, check=True).stdout
    assert f"participants: {len(table(pooled, 'participants'))} rows" in said
    changes = (pooled / "CHANGES.md").read_text(encoding="utf-8")
    assert all(f"`sites/{each.name}`" in changes for each in (pooled / "sites").iterdir())


@pytest.mark.slow
def test_verify_checks_each_site_by_its_own_evidence(simulated, tmp_path):
    # The clock of a simulation runs ahead of its export's.
    assert set(verify(simulated).counts) <= {"time_backwards"}
    copy = tmp_path / "copy"
    shutil.copytree(simulated, copy)
    (runs,) = (copy / "sites" / "south" / "data").glob("*runs_data.csv")
    runs.write_bytes(runs.read_bytes()[:-50])
    assert any(found.file.startswith("sites/south/") for found in verify(copy).findings)


@pytest.mark.slow
def test_analysis_compares_within_sites_and_runs_each_ledger_again_alone(simulated, tmp_path):
    dataset = load(simulated)
    shown = view(dataset, seed=1, include_simulated=True)
    ledger, note = ledger_of(dataset, shown)
    assert isinstance(ledger, PooledLedger), note
    people = list(shown.participants.loc[shown.participants["arm"].notna(), "participant_id"])
    drawn = ledger.for_people(people)(50, np.random.default_rng(3))
    assert np.array_equal(drawn, ledger.for_people(people)(50, np.random.default_rng(3)))
    # Each site's blocks balance within the site, whatever was drawn at the other.
    for name in ("north", "south"):
        own = ledger.sites[name]
        alone = own.for_people([p.removeprefix(f"{name}.") for p in people if p.startswith(name)])
        shares = alone(50, np.random.default_rng(3)).mean(axis=1)
        columns = [place for place, person in enumerate(people) if person.startswith(name)]
        assert set(drawn[:, columns].mean(axis=1)) <= set(shares) | set(1 - shares)
    analyze(simulated, tmp_path / "results", include_simulated=True)
    result = json.loads((tmp_path / "results" / "results.json").read_text())
    rerun = [row for row in result["estimates"] if row["method"] == "rerandomization"]
    assert rerun
    assert not any("permuted within strata" in row["note"] for row in rerun)
    with (tmp_path / "results" / "tables" / "meta_analysis.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["site"] for row in rows} == {"north", "south"}


@pytest.mark.slow
def test_g_and_its_standard_error_are_those_of_escalc(simulated, tmp_path):
    """`escalc(measure = "SMD")` of R's metafor: yi = J(m) d, vi = 1/n1 + 1/n2 + yi^2 / (2 (n1 + n2))."""
    dataset = load(simulated)
    analyze(simulated, tmp_path / "results", include_simulated=True)
    with (tmp_path / "results" / "tables" / "meta_analysis.csv").open(newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["g"]]
    assert rows
    for row in rows:
        n1, n2 = int(row["n_treated"]), int(row["n_control"])
        m1, m2, s1, s2 = (float(row[key]) for key in ("mean_treated", "mean_control", "sd_treated", "sd_control"))
        script = (
            f"e <- metafor::escalc(measure='SMD', m1i={m1!r}, sd1i={s1!r}, n1i={n1}, m2i={m2!r}, sd2i={s2!r}, "
            f"n2i={n2}); cat(format(as.numeric(e$yi), digits=15), format(sqrt(e$vi), digits=15))"
        )
        done = shutil.which("Rscript") and subprocess.run(
            ["Rscript", "-e", script], capture_output=True, text=True, check=False
        )
        if done and done.returncode == 0:
            expected = [float(part) for part in done.stdout.split()]
        else:
            df = n1 + n2 - 2
            sd = np.sqrt(((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / df)
            g = (m1 - m2) / sd * {14: 0.9455}.get(df, 1 - 3 / (4 * df - 1))
            expected = [g, np.sqrt(1 / n1 + 1 / n2 + g**2 / (2 * (n1 + n2)))]
            assert [float(row["g"]), float(row["se"])] == pytest.approx(expected, rel=1e-2)
            continue
        assert [float(row["g"]), float(row["se"])] == pytest.approx(expected, rel=1e-9)
        break
    known = dataset.participants.query("site == 'north'")["quiz_score"].notna().sum()
    (score,) = [row for row in rows if row["site"] == "north" and row["outcome"] == "quiz_score"] or [None]
    assert score is None or int(score["n_treated"]) + int(score["n_control"]) <= known


def test_the_same_trial_twice_is_refused(sites, tmp_path):
    shutil.copytree(sites[0], tmp_path / "copy")
    with pytest.raises(ProblemsFound, match="is an export of the same trial as north"):
        pool([str(sites[0]), str(tmp_path / "copy")], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_one_dataset_and_sites_of_one_name_are_refused(sites, tmp_path):
    with pytest.raises(UserError, match="name two or more"):
        pool([str(sites[0])], tmp_path / "out")
    with pytest.raises(ProblemsFound, match="2 sites are called 'north'.* name them apart"):
        pool([f"north={sites[0]}", f"North={sites[1]}"], tmp_path / "out")


def test_a_torn_table_is_refused_by_its_row_and_found_in_a_pool(sites, pooled, tmp_path):
    torn = altered(sites[1], tmp_path / "torn", study_id="torn")
    (runs,) = (torn / "data").glob("*runs_data.csv")
    runs.write_bytes(runs.read_bytes().rstrip()[:-3].rpartition(b",")[0])
    with pytest.raises(UserError, match="runs_data.csv: row .* study verify says more; export the dataset again"):
        pool([str(sites[0]), str(torn)], tmp_path / "out")
    copy = tmp_path / "copy"
    shutil.copytree(pooled, copy)
    (inner,) = (copy / "sites" / "south" / "data").glob("*runs_data.csv")
    inner.write_bytes(runs.read_bytes())
    opened = open_dataset(copy, VerifyReport(str(copy)))
    check_pool(opened)
    assert [found.name for found in opened.report.findings] == ["table_unreadable"]


def test_a_masked_dataset_is_refused(sites, tmp_path):
    with pytest.raises(ProblemsFound, match="is closed: its arms are masked"):
        pool([str(sites[0]), str(trial().dataset("closed"))], tmp_path / "out")


def test_another_layout_and_another_release_are_refused(sites, tmp_path):
    old = altered(sites[1], tmp_path / "old", schema="study-dataset/0")
    with pytest.raises(ProblemsFound, match="has the layout 'study-dataset/0'.*export it again"):
        pool([str(sites[0]), str(old)], tmp_path / "out")
    named = altered(sites[1], tmp_path / "named", identified=True)
    with pytest.raises(ProblemsFound, match="is identified, and north is not identified"):
        pool([str(sites[0]), str(named)], tmp_path / "out")


def test_different_plans_and_languages_are_carried_and_analysis_asks_for_one_plan(sites, tmp_path):
    west = altered(sites[1], tmp_path / "west", study_id="west")
    (file,) = {entry["file"] for entry in manifest_of(west)["versions"][-1:]}
    study = json.loads((west / file).read_text(encoding="utf-8"))
    study["analysis"]["level"] = 0.9
    study["languages"] = ["en", "de"]
    (west / file).write_text(json.dumps(study), encoding="utf-8")
    summary = pool([str(sites[0]), str(west)], tmp_path / "pool")
    assert "the plan of west differs from that of north (analysis.level)" in summary.notes[0]
    assert any("offer different languages" in note for note in summary.notes)
    with pytest.raises(UserError, match="the plans of its sites differ.*give --plan FILE"):
        analyze(tmp_path / "pool", tmp_path / "results")


def test_a_trial_with_planned_looks_is_refused(sites, tmp_path):
    west = altered(sites[1], tmp_path / "west", study_id="west")
    (file,) = {entry["file"] for entry in manifest_of(west)["versions"][-1:]}
    study = json.loads((west / file).read_text(encoding="utf-8"))
    study["analysis"]["stopping"] = {"kind": "pocock", "looks": [0.5, 1.0]}
    (west / file).write_text(json.dumps(study), encoding="utf-8")
    with pytest.raises(ProblemsFound, match="plans looks before the end"):
        pool([str(sites[0]), str(west)], tmp_path / "out")


def test_a_person_who_took_part_at_two_sites_is_refused(sites, tmp_path):
    named = [altered(path, tmp_path / path.name, identified=True) for path in sites]
    for folder in named:
        (people,) = (folder / "data").glob("*participants_data.csv")
        with people.open(encoding="utf-8", newline="") as handle:
            header, *rows = list(csv.reader(handle))
        with people.open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows([[*header, "label"], *([*row, "me@example.org"] for row in rows[:1])])
    with pytest.raises(ProblemsFound, match="has the same label as .* at north: one person took part twice"):
        pool([str(path) for path in named], tmp_path / "out")
