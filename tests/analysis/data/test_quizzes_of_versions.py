"""A quiz that an amendment changed: each person's points are over the items of the version that they met."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from support.trials.quiz_study import ARMS, keyed_bank, study_text, with_content
from typer.testing import CliRunner

from analysis.cli import analyze
from analysis.data.load import load
from analysis.data.quiz_versions import asked_by_stage
from analysis.data.quizzes import QuizItems
from analysis.measurement.psychometrics import alpha
from analysis.pipeline.description.quiz_quality import _item_rest, _quality
from analysis.pipeline.items.item_rows import _solved
from study_app.cli import app
from study_app.dataset.pooling.pool import pool
from study_app.dataset.reading.banks import VersionBanks
from study_app.dataset.verification import verify

NEW = "ties"
"""The item that comes by the amendment; it is worth 2 of 10 points."""


def quiz(known=None, versions=None) -> QuizItems:
    given = [
        ("a", "one", 1.0, 1.0), ("a", "two", 2.0, 2.0),
        ("b", "one", 0.0, 1.0),
        ("c", "one", 1.0, 1.0), ("c", "two", 1.0, 2.0), ("c", "new", 3.0, 4.0),
        ("d", "one", 0.0, 1.0),
    ]  # fmt: skip
    answers = pd.DataFrame(given, columns=["participant_id", "item", "points", "max_points"])
    met = {"a": "first", "b": "first", "c": "second", "d": "second"} if versions is None else versions
    return QuizItems("post", "main", "Quiz", answers, frozenset("abcd"), met, known or {})


PEOPLE = pd.DataFrame({"participant_id": list("abcd")})


def test_an_item_counts_for_people_whose_version_asked_it_and_left_out_is_zero():
    found = quiz().matrix(PEOPLE)
    assert found["new"].isna().tolist() == [True, True, False, False]
    assert found.loc["b"].dropna().to_dict() == {"one": 0.0, "two": 0.0}
    assert found.loc["d"].to_dict() == {"one": 0.0, "two": 0.0, "new": 0.0}
    assert quiz().highest(found).sum(axis=1).to_dict() == {"a": 3.0, "b": 3.0, "c": 7.0, "d": 7.0}
    assert _solved(quiz(), found)["two"].to_dict() == {"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0}
    assert "new" not in _solved(quiz(), found)  # asked of two people, of whom none had all its points


def test_what_the_bank_of_a_version_says_wins_over_who_happened_to_answer():
    known = {"first": {"one": 1.0, "two": 2.0, "new": 3.0}, "second": {"one": 1.0, "two": 2.0, "new": 4.0}}
    found = quiz(known)
    points = found.matrix(PEOPLE)
    assert points.loc["a", "new"] == 0.0  # asked by the version, reached by none of its people
    assert found.highest(points)["new"].to_dict() == {"a": 3.0, "b": 3.0, "c": 4.0, "d": 4.0}


def test_a_table_without_versions_is_of_one():
    found = quiz(versions={}).matrix(PEOPLE)
    assert not found.isna().any().any()


def test_the_rest_of_an_item_is_what_all_who_met_it_met():
    table = pd.DataFrame({"one": [0, 1, 0, 1, 1], "old": [1, 0, None, None, None], "new": [None, None, 0, 1, 1.0]})
    assert _item_rest(table, "new") == pytest.approx(1.0)
    assert _item_rest(table, "one") is None  # of everybody: no other item was


def test_items_worth_more_since_an_amendment_do_not_seem_to_hang_together():
    random = np.random.default_rng(3)
    versions = {f"p{place:03}": "first" if place < 100 else "second" for place in range(200)}
    given = [
        (person, f"item{item}", worth * float(random.random() < 0.5), worth)
        for person, version in versions.items()
        for item, worth in enumerate([1.0] * 5 if version == "first" else [2.0] * 4 + [1.0])
    ]
    answers = pd.DataFrame(given, columns=["participant_id", "item", "points", "max_points"])
    made = QuizItems("post", "baseline", "Quiz", answers, frozenset(versions), versions)
    people = pd.DataFrame({"participant_id": sorted(versions), "arm": "ai"})
    found = _quality(made, SimpleNamespace(arm_ids=("ai",), participants=people), people)
    assert found["revalued"] == ["item0", "item1", "item2", "item3"]
    assert [row["max_points"] for row in found["items"]] == [None] * 4 + [1.0]
    points = made.matrix(people)
    shares = points / made.highest(points)
    # The items are drawn independently.
    expected = float(alpha(shares * made.highest(points).mean()))
    assert found["alpha"]["value"] == pytest.approx(expected)
    assert abs(expected) < 0.15 < float(alpha(points))
    difficulty = {row["item"]: row["difficulty"] for row in found["item_statistics"]}
    assert difficulty == pytest.approx(shares.mean().to_dict())


def without(bank: Path, item: str) -> None:
    """Take an item out of a bank."""
    points = tomllib.loads((bank / "items" / f"{item}.toml").read_text())["points"]
    head = (bank / "bank.toml").read_text()
    total = tomllib.loads(head)["points"]
    head = head.replace(f"points = {total}", f"points = {total - points}").replace(f', ["{item}"]', "")
    (bank / "bank.toml").write_text(head)
    for part in ("items", "keys"):
        (bank / part / f"{item}.toml").unlink()


@pytest.fixture(scope="module")
def amended(tmp_path_factory) -> Path:
    """Eight simulated people before an amendment that adds an item, eight after it; the export."""
    folder = tmp_path_factory.mktemp("amended")
    bank = folder / keyed_bank(folder)
    with_content(folder)
    whole = shutil.copytree(bank, folder / "whole")
    without(bank, NEW)
    arms = ARMS + '[recruitment]\nentry = "links"\ntarget_n = 40\n'
    path = folder / "study.toml"
    path.write_text(study_text(arms=arms, bank=bank.name), "utf-8")

    def study(*words: object, expect: int = 0) -> None:
        given = {"STUDY_VAR": str(folder / "var"), "STUDY_DATABASE_URL": f"sqlite:///{folder}/study.db"}
        done = CliRunner().invoke(app, [*map(str, words)], env=given, catch_exceptions=False)
        assert done.exit_code == expect, done.output

    study("launch", path, "--yes", "--out", folder)
    study("simulate", path, "--participants", 8, "--seed", 1)
    shutil.rmtree(bank)
    shutil.copytree(whole, bank)
    study("amend", path, "--yes", "--reason", "one more item")
    study("simulate", path, "--participants", 8, "--seed", 2)
    study("export", path, "--out", folder / "data", "--include-simulated")
    study("verify", folder / "data")
    study("analyze", folder / "data", "--out", folder / "results", "--include-simulated")
    return folder


@pytest.mark.slow
def test_amended_exported_verified_and_analysed_everybody_keeps_the_items_they_met(amended):
    people = load(amended / "data").participants
    first, second = people["study_hash"].drop_duplicates().tolist()
    most = people.groupby("study_hash")["quiz_max"].unique()
    assert (most[first].tolist(), most[second].tolist()) == ([8.0], [10.0])
    assert (people["quiz_score"] - people["quiz_points"] / people["quiz_max"]).abs().max() < 1e-9
    entries = json.loads((amended / "data" / "manifest.json").read_text())["versions"]
    banks = VersionBanks(amended / "data" / "materials", entries)
    old, new = ({item.id for item in banks.of(version, "keyed").items} for version in (first, second))
    assert new - old == {NEW}
    result = json.loads((amended / "results" / "results.json").read_text())
    quality = result["psychometrics"]
    assert quality["partly_asked"] == [NEW]
    asked = {item["item"]: sum(arm["n"] for arm in item["arms"].values()) for item in quality["items"]}
    assert asked == {item: 8 if item == NEW else 16 for item in asked}
    assert any("8 (8 people), 10 (8 people)" in warning for warning in result["warnings"])
    assert f"<dd>{NEW}: amendments changed the quiz." in (amended / "results" / "report.html").read_text()


@pytest.mark.slow
def test_a_dataset_of_an_earlier_release_without_the_earlier_items_is_not_called_tampered_with(amended, tmp_path):
    data = shutil.copytree(amended / "data", tmp_path / "data")
    manifest = json.loads((data / "manifest.json").read_text())
    kept = [entry for entry in manifest["other_files"] if "/quizzes_" in entry["path"]]
    for entry in kept:
        (data / entry["path"]).unlink()
    manifest["other_files"] = [entry for entry in manifest["other_files"] if entry not in kept]
    manifest.pop("signature", None)
    (data / "manifest.json").write_text(json.dumps(manifest))
    done = CliRunner().invoke(app, ["verify", str(data)])
    assert "derived_differs" not in done.output
    assert "the items of posttest are not here" in done.output


@pytest.mark.slow
def test_a_dataset_of_two_versions_comes_back_with_the_items_of_each(dropped, tmp_path):
    """The item is dropped by the amendment, so that the study's own bank knows it no more."""
    folder, study = dropped
    study("reimport", folder / "data", folder / "study.toml", "--database", f"sqlite:///{tmp_path}/again.db")
    study("export", folder / "study.toml", "--database", f"sqlite:///{tmp_path}/again.db", "--out", tmp_path / "data",
          "--include-simulated")  # fmt: skip
    for path in sorted((folder / "data" / "data").iterdir()):
        assert (tmp_path / "data" / "data" / path.name).read_bytes() == path.read_bytes(), path.name
    kept = next((folder / "data" / "materials" / "versions").glob("quizzes_*")).relative_to(folder / "data")
    assert NEW in (tmp_path / "data" / kept / "keyed.json").read_text()
    # The audit log does not come back, which verify says; of columns it has nothing to say.
    assert not any(finding.name == "derived_differs" for finding in verify(tmp_path / "data").findings)


@pytest.mark.slow
def test_a_pool_knows_of_each_site_which_items_each_version_asked(dropped, tmp_path):
    """The other site is the same trial under another id, so that every count doubles."""
    folder, _ = dropped
    for name, commitment in (("north", None), ("south", "0" * 64)):
        shutil.copytree(folder / "data", tmp_path / name)
        manifest = json.loads((tmp_path / name / "manifest.json").read_text()) | {"study_id": name}
        manifest |= {"commitment": commitment} if commitment else {}
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest))
    pool([str(tmp_path / "north"), str(tmp_path / "south")], tmp_path / "pool")
    dataset = load(tmp_path / "pool")
    first, second = dataset.participants["study_hash"].drop_duplicates().tolist()
    asked = asked_by_stage(dataset)["posttest"]
    assert set(asked[first]) - set(asked[second]) == {NEW}
    analyze(tmp_path / "pool", tmp_path / "results", include_simulated=True)
    quality = json.loads((tmp_path / "results" / "results.json").read_text())["psychometrics"]
    assert quality["partly_asked"] == [NEW]
    counted = {item["item"]: sum(arm["n"] for arm in item["arms"].values()) for item in quality["items"]}
    assert counted == {item: 8 if item == NEW else 16 for item in counted}


@pytest.fixture(scope="module")
def dropped(tmp_path_factory):
    """Four simulated people before an amendment that drops an item, four after it; unsealed and exported."""
    folder = tmp_path_factory.mktemp("dropped")
    bank = folder / keyed_bank(folder)
    with_content(folder)
    path = folder / "study.toml"
    arms = ARMS + '[recruitment]\nentry = "links"\ntarget_n = 40\n'
    path.write_text(study_text(arms=arms, bank=bank.name), "utf-8")

    def study(*words: object) -> None:
        given = {"STUDY_VAR": str(folder / "var"), "STUDY_DATABASE_URL": f"sqlite:///{folder}/study.db"}
        done = CliRunner().invoke(app, [*map(str, words)], env=given, catch_exceptions=False)
        assert done.exit_code == 0, done.output

    study("launch", path, "--yes", "--out", folder)
    study("simulate", path, "--participants", 4, "--seed", 1)
    without(bank, NEW)
    study("amend", path, "--yes", "--reason", "one item less")
    study("simulate", path, "--participants", 4, "--seed", 2)
    study("close", path, "--reason", "enough")
    study("unseal", path, "--reason", "analysis")
    study("export", path, "--out", folder / "data", "--include-simulated")
    return folder, study
