"""Findings of a verification: what they speak of, how many are listed, and what a dataset within another adds."""

from __future__ import annotations

import pytest

from study_app.dataset.findings import MOST, DatasetFinding, VerifyReport


def report(*names: str) -> VerifyReport:
    made = VerifyReport("data")
    for number, name in enumerate(names, start=2):
        made.add(name, "events.csv", number, "it differs")
    return made


@pytest.mark.parametrize(
    ("name", "its_class", "ok"),
    [("chain_broken", "tampering", False), ("model_drifted", "protocol", False), ("browser_gap", "browser", True)],
)
def test_only_what_browsers_sent_is_no_breach(name, its_class, ok):
    found = report(name)
    assert (found.findings[0].finding_class, found.ok) == (its_class, ok)
    assert found.classes == {"tampering": 0, "protocol": 0, "browser": 0} | {its_class: 1}
    assert found.to_json()["findings"][0]["class"] == its_class
    assert report().ok


def test_of_one_name_two_hundred_are_listed_and_the_rest_is_counted():
    found = report(*["browser_gap"] * MOST)
    assert (MOST, len(found.findings)) == (200, 200)
    assert not any("more of this name" in line for line in found.lines())
    found.add("browser_gap", "", None, "it differs")
    found.add("chain_broken", "", None, "it differs")
    assert (len(found.findings), found.counts) == (201, {"browser_gap": 201, "chain_broken": 1})
    assert "browser_gap: 1 more of this name" in found.lines()
    assert found.classes["browser"] == 201


def test_a_finding_names_file_and_row_or_the_dataset():
    assert str(DatasetFinding("chain_broken", "events.csv", 2, "it differs")) == (
        "tampering: events.csv: row 2: chain_broken: it differs"
    )
    assert str(DatasetFinding("chain_broken", "", None, "it differs")) == "tampering: dataset: chain_broken: it differs"


def test_what_browsers_sent_is_explained_only_where_nothing_else_was_found():
    assert report("browser_gap").lines()[-1].startswith("What browsers sent is listed and is not a breach")
    assert len(report("browser_gap", "chain_broken").lines()) == 2
    assert report().lines() == []


def test_findings_of_a_dataset_within_this_one_keep_their_place_and_their_number():
    pool, site = report("browser_gap"), report("browser_gap", "chain_broken")
    site.add("manifest_missing", "", None, "it is missing")
    site.note("hashes of files")
    pool.take(site, "sites/a")
    assert [finding.file for finding in pool.findings] == [
        "events.csv", "sites/a/events.csv", "sites/a/events.csv", "sites/a",
    ]  # fmt: skip
    assert pool.counts == {"browser_gap": 2, "chain_broken": 1, "manifest_missing": 1}
    assert pool.passed == ["sites/a: hashes of files"]
    assert not pool.ok
