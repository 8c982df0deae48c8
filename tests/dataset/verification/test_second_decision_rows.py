"""The second decision: what contradicts the rule, the log or the ledger of decision 2 in one person's row."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from support.paths import ROOT

from study_app.content.study_file import read_study
from study_app.dataset.verification.second_decision import check_second_decision

STUDY = read_study(ROOT / "examples" / "second_decision" / "study.toml")
STAGE = STUDY.second_decision.stage


class Row(dict):
    """A row as `verify` reads it."""

    number = 3

    @property
    def values(self):
        return self


def person(**changed: Any) -> Row:
    """Who did not respond, and was randomised a second time."""
    row = {
        "participant_id": "p1", "is_simulated": False, "is_preview": False, "data_withdrawn": False, "arm": "hints",
        "study_hash": "h", "responded": False, "second_treatment": "answers", "second_index": 7, "halfway_points": 2.0,
    }  # fmt: skip
    return Row(row | changed)


def allocation(**changed: Any) -> Row:
    row = {
        "participant_id": "p1", "decision": 2, "ledger": "real", "allocation_index": 7, "arm": "answers",
        "study_hash": "h", "levels": {"first": "hints"},
    }  # fmt: skip
    return Row(row | changed)


def decided(points: float | None = 2.0, **changed: Any) -> Row:
    said = {"responded": False, "index": 7, "known": {"halfway_points": points}} | changed
    return Row(participant_id="p1", kind="second_decision", payload=said)


RESPONDED = person(responded=True, second_treatment=None, second_index=None, halfway_points=3.0)
LOGGED = decided(3.0, responded=True, index=None)
OPEN = person(responded=None, second_treatment=None, second_index=None)
FIRST = allocation(decision=1, arm="hints", allocation_index=1, levels={})
USUAL: dict[str, Any] = {"events": [decided()], "allocations": [FIRST, allocation()], "stages": [STAGE]}


def findings(people: list[Row], **given: Any) -> list[str]:
    """The names of what is found, each once."""
    found: list[str] = []
    given = USUAL | given
    tables = {"participants": people, "allocations": given["allocations"]}
    visits = {str(each["participant_id"]): [{"stage": stage} for stage in given["stages"]] for each in people}
    opened = SimpleNamespace(
        studies={"h": STUDY}, study_of=lambda row: STUDY if row["study_hash"] == "h" else None, relative=str,
        rows=tables.__getitem__, stream=lambda _: given["events"], by_participant=lambda _: visits,
        public=given.get("public", False), hides=lambda _: given.get("hides", False),
        report=SimpleNamespace(add=lambda name, *_: found.append(name), note=lambda _: None),
    )  # fmt: skip
    check_second_decision(opened)  # type: ignore[arg-type]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(
    ("people", "given"),
    [
        ([person()], {}),
        ([RESPONDED], {"events": [LOGGED], "allocations": [FIRST]}),
        # Before the stage nothing was decided.
        ([OPEN], {"events": [], "allocations": [FIRST], "stages": []}),
        ([person(data_withdrawn=True)], {"events": []}),
        ([person(data_withdrawn=True)], {"events": [], "allocations": []}),
        ([person()], {"events": [], "public": True}),
        # Rows of the first ledger, and rows whose person was erased, are no one's second decision.
        (
            [person()],
            {"allocations": [allocation(), allocation(participant_id=""), allocation(decision=1, arm="no_ai")]},
        ),
        ([person(halfway_points=2.0 + 1e-10)], {}),
        # What is withheld is compared with nothing.
        ([person(second_treatment="forged")], {"hides": True, "allocations": []}),
    ],
)
def test_rows_that_agree_are_no_finding(people, given):
    assert findings(people, **given) == []


NONE = {"events": [], "allocations": [FIRST]}


@pytest.mark.parametrize(
    ("people", "given", "found"),
    [
        ([OPEN], NONE, ["second_decision_missing"]),
        ([OPEN], NONE | {"events": [decided()], "stages": []}, ["second_decision_unlogged"]),
        ([person(arm=None)], {}, ["second_decision_early", "wrong_levels"]),
        ([person(responded=None)], NONE | {"stages": [], "allocations": [allocation()]},
         ["second_decision_missing", "responder_randomised"]),
        ([person(second_treatment=None)], {"allocations": [FIRST]}, ["second_decision_missing"]),
        ([person(second_treatment="forged")], {}, ["unknown_treatment", "second_treatment_differs"]),
        ([RESPONDED | {"second_treatment": "answers"}], {"events": [LOGGED], "allocations": [FIRST]},
         ["responder_randomised", "not_in_ledger"]),
        ([person()], {"allocations": [FIRST]}, ["not_in_ledger"]),
        ([person()], {"allocations": [allocation(ledger="preview")]}, ["wrong_ledger"]),
        ([person()], {"allocations": [allocation(arm="stay")]}, ["second_treatment_differs"]),
        ([person()], {"allocations": [allocation(allocation_index=8)]}, ["second_index_differs"]),
        ([person()], {"allocations": [allocation(study_hash="other")]}, ["study_hash_differs"]),
        ([person()], {"allocations": [allocation(levels={"first": "full"})]}, ["wrong_levels"]),
        ([person()], {"events": []}, ["second_decision_unlogged"]),
        ([person()], {"events": [decided(), decided()]}, ["second_decision_unlogged"]),
        ([person()], {"events": [decided(index=8)]}, ["second_decision_unlogged"]),
        ([person()], {"events": [decided(responded=True)]}, ["second_decision_unlogged"]),
        ([person()], {"events": [decided(3.0)]}, ["response_differs"]),
        ([person()], {"events": [decided(1.0)]}, ["response_differs"]),
        ([person(halfway_points=3.0)], {}, ["response_differs"]),
        ([person(halfway_points=None)], {}, ["response_differs"]),
        ([], {}, ["participant_missing"]),
    ],
)  # fmt: skip
def test_each_contradiction_is_found_by_its_name(people, given, found):
    assert findings([Row(each) for each in people], **given) == found
