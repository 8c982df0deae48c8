"""What is wrong with a single row of events or visits is named with its number, and what is right is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from study_app.dataset.reading.dataset import UntrustedRow
from study_app.dataset.verification.event_log import (
    _check_erasures,
    _check_moments,
    _check_sequences,
    _unknown,
)
from study_app.dataset.verification.participants import (
    _check_person_times,
    _check_visit,
    _stages_of,
    check_visits,
    declared_model,
)
from study_app.dataset.verification.registration import check_anchors
from study_app.dataset.verification.server_log import log_of
from study_app.domain.events import ERASED, SERVER_PAGE

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
Found = list[tuple[str, str, int | None, str]]


def dataset(**more: Any) -> tuple[Any, Found]:
    """A dataset of which checks read what the test names, and what they find."""
    found: Found = []
    report = SimpleNamespace(add=lambda *finding: found.append(finding), note=lambda _: None)
    usual = {
        "relative": str,
        "report": report,
        "own": True,
        "public": False,
        "manifest": {},
        "whole_to": lambda *_: None,
    }
    return SimpleNamespace(**usual | more), found


def row(number: int = 2, **values: Any) -> UntrustedRow:
    return UntrustedRow(number, values)


# -- kinds of events ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "kind", "known"),
    [("page1", "hidden", True), (SERVER_PAGE, "finished", True), ("page1", "finished", False),
     (SERVER_PAGE, "hidden", False), ("page1", "made_up", False), (SERVER_PAGE, "made_up", False)],
)  # fmt: skip
def test_a_kind_of_the_server_on_a_page_and_a_pages_on_the_server_are_unknown(page, kind, known):
    problem = _unknown(row(page=page, kind=kind, payload={}), whole=True)
    assert problem == ("" if known else f"'{kind}' is not a kind of event of page {page}")


def test_a_payload_of_the_server_must_be_one_of_its_kind_wherever_it_is_there_whole():
    torn = row(page=SERVER_PAGE, kind="task_shown", payload={"task": 3})
    assert _unknown(torn, whole=True).startswith("'task_shown' of the server: ")
    assert _unknown(torn, whole=False) == ""


# -- numbers of events -------------------------------------------------------------------------------------------------


def events(*numbers: int, page: str = "page1") -> list[UntrustedRow]:
    return [row(place + 2, page=page, kind="hidden", seq=number, event_id=place + 1, payload={})
            for place, number in enumerate(numbers)]  # fmt: skip


def test_a_whole_log_of_a_page_has_no_finding_and_no_gap():
    opened, found = dataset()
    assert _check_sequences(opened, "p1", events(1, 2, 3)) == {}
    assert found == []


def test_a_number_that_comes_twice_is_named():
    opened, found = dataset()
    assert _check_sequences(opened, "p1", events(1, 2, 2)) == {}
    assert found == [("sequence_duplicate", "events", 4, "page page1: 2 comes twice")]


@pytest.mark.parametrize(("whole", "finding"), [(1, "browser_gap"), (3, "sequence_gap"), (None, "sequence_gap")])
def test_a_gap_is_the_browsers_where_the_server_knew_of_it_and_tampering_elsewhere(whole, finding):
    opened, found = dataset(whole_to=lambda name, page: whole if (name, page) == ("p1", "page1") else 99)
    assert _check_sequences(opened, "p1", events(1, 4, 5)) == {"page1": 1}
    assert found == [(finding, "events", 3, "page page1: 2 of 5 events are missing, the first is 2")]


def test_the_first_number_may_be_missing_too():
    opened, found = dataset()
    assert _check_sequences(opened, "p1", events(2, 3)) == {"page1": 0}
    assert [(finding[0], finding[2]) for finding in found] == [("sequence_gap", 2)]


def test_rows_that_change_places_are_named_once_each():
    opened, found = dataset()
    rows = events(1, 2, 3)
    rows[1].values["event_id"], rows[2].values["event_id"] = 3, 2
    _check_sequences(opened, "p1", rows)
    assert found == [("reordered", "events", 4, "event 2 stands after 3")]


def test_kinds_of_another_programs_dataset_are_its_own_affair():
    for own in (True, False):
        opened, found = dataset(own=own)
        _check_sequences(opened, "p1", [row(page="p", kind="theirs", seq=1, event_id=1)])
        assert [finding[0] for finding in found] == ["unknown_kind"] * own


# -- erased events -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "payload", "withdrawn", "own", "named"),
    [
        ("edit", ERASED, False, True, True),
        ("edit", {}, False, True, False),
        # The platform itself erases fields that were handed in empty, and everything of who withdraws.
        ("answer_edit", ERASED, False, True, False),
        ("edit", ERASED, True, True, False),
        ("edit", ERASED, False, False, False),
    ],
)
def test_an_erased_event_needs_a_reason(kind, payload, withdrawn, own, named):
    opened, found = dataset(own=own)
    person = row(data_withdrawn=withdrawn)
    _check_erasures(opened, [row(5, event_id=7, kind=kind, payload=payload)], person)
    assert [finding[:3] for finding in found] == [("erased_without_reason", "events", 5)] * named


# -- visits ------------------------------------------------------------------------------------------------------------


def visit(end: float | None, deadline: float | None = None, **more: Any) -> UntrustedRow:
    moments = {"started_at": 0.0, "ended_at": end, "deadline_at": deadline}
    known = {
        name: START + timedelta(seconds=at) if isinstance(at, (int, float)) else at for name, at in moments.items()
    }
    return row(3, **known | more)


@pytest.mark.parametrize(
    ("given", "findings"),
    [
        (visit(60), []),
        (visit(0), []),
        (visit(None), []),
        (visit(-1), ["time_backwards", "derived_differs"]),
        (visit(60, 60), []),
        (visit(60, 59), ["past_deadline"]),
        (visit(None, 59), []),
        (visit(60, active_seconds=40.0, away_seconds=20.0), []),
        # Each is rounded to the millisecond.
        (visit(60, active_seconds=40.0, away_seconds=20.001), []),
        (visit(60, active_seconds=40.0, away_seconds=20.002), ["derived_differs"]),
        (visit(60, active_seconds=60.5), ["derived_differs"]),
        (visit(60, away_seconds=60.5), ["derived_differs"]),
    ],
)
def test_a_visit_ends_after_it_began_by_its_deadline_and_is_no_shorter_than_what_was_done_in_it(given, findings):
    opened, found = dataset()
    _check_visit(opened, given)
    assert [(finding[0], finding[2]) for finding in found] == [(name, 3) for name in findings]


def test_moments_of_a_person_come_one_after_the_other():
    def checked(first_visit: float, **seconds: float) -> list[str]:
        opened, found = dataset()
        person = row(2, **{name: START + timedelta(seconds=at) for name, at in seconds.items()})
        _check_person_times(opened, person, [row(9, started_at=START + timedelta(seconds=first_visit))])
        return [what for _, _, _, what in found]

    assert checked(0, enrolled_at=0, allocated_at=0, finished_at=5) == []
    assert checked(1, enrolled_at=0, finished_at=5) == []
    assert checked(0, enrolled_at=0, allocated_at=6, finished_at=5) == ["finished_at is before allocated_at"]
    assert checked(0, enrolled_at=1) == ["began before the participant came in"]


def test_the_order_of_stages_and_the_moments_of_each_person_are_checked_over_all_visits():
    study = SimpleNamespace(stages=[SimpleNamespace(id="first"), SimpleNamespace(id="second")])

    def checked(*visits: UntrustedRow, own: bool = True) -> list[str]:
        known = {"by_participant": lambda _: {"p1": list(visits)}, "study_of": lambda _: study}
        people = [row(2, participant_id="p1", enrolled_at=START)]
        opened, found = dataset(own=own, rows=lambda name: people if name == "participants" else visits, **known)
        check_visits(opened, {})
        return [finding for finding, *_ in found]

    first, second = visit(60, stage="first"), visit(90, stage="second")
    second.values["started_at"] = START + timedelta(seconds=60)
    assert checked(first, second) == []
    assert checked(second, first) == ["visits_out_of_order", "visits_overlap"]
    assert checked(visit(61, stage="first"), second) == ["visits_overlap"]
    assert checked(visit(None, stage="first"), second) == ["visits_overlap"]
    assert checked(visit(60, stage="third")) == ["unknown_stage"]
    early = visit(60, stage="first", started_at=START - timedelta(seconds=1))
    assert checked(early) == ["time_backwards"]
    # What another program exported has neither our stages nor our moments.
    assert checked(second, first, early, own=False) == []


def test_a_question_lies_in_a_visit_from_its_first_moment_to_its_last():
    stages = [SimpleNamespace(id="work", kind="tasks", assistant=True)]
    study = SimpleNamespace(
        stages=stages,
        second_decision=SimpleNamespace(treatments=[]),
        arm=lambda arm, _: SimpleNamespace(assistant="full" if arm == "ai" else None),
    )

    def lies(asked: float | None, arm: str = "ai", stage: str = "work", end: float | None = 60) -> bool:
        opened, _ = dataset(study_of=lambda _: study)
        moment = None if asked is None else START + timedelta(seconds=asked)
        return bool(_stages_of(opened, row(2, arm=arm), row(4, asked_at=moment), [visit(end, stage=stage)]))

    assert [lies(asked) for asked in (-0.001, 0, 30, 60, 60.001, None)] == [False, True, True, True, False, False]
    assert lies(1000, end=None)
    assert not lies(30, arm="plain")
    assert not lies(30, stage="survey")


def test_a_clock_of_a_page_never_goes_back_and_no_event_lies_before_its_person_or_after_the_export():
    def checked(*logged: tuple[int, str, float | None, float], own: bool = True) -> list[tuple[str, int | None]]:
        opened, found = dataset(own=own, manifest={"exported_at": "2026-01-05T10:00:00.000Z"})
        rows = [
            row(number, seq=seq, page=page, mono_ms=mono, server_time=START + timedelta(seconds=stored))
            for number, (seq, page, mono, stored) in enumerate(logged, start=2)
        ]
        _check_moments(opened, rows, row(enrolled_at=START))
        return [finding[:1] + finding[2:3] for finding in found]

    assert checked((1, "p", 5.0, 0), (2, "p", 5.0, 3600), (3, "p", None, 1), (4, "p", 6.0, 1)) == []
    assert checked((1, "p", 5.0, 0), (2, "p", 4.9, 1)) == [("browser_clock_back", 3)]
    # Each page has its clock, and events are read in the page's order.
    assert checked((1, "p", 5.0, 0), (1, "q", 1.0, 1)) == []
    assert checked((2, "p", 5.0, 0), (1, "p", 4.0, 1)) == []
    assert checked((1, "p", 5.0, -0.001)) == [("time_backwards", 2)]
    assert checked((1, "p", 5.0, 3600.001)) == [("time_backwards", 2)]
    assert checked((1, "p", 5.0, -1), (2, "p", 4.0, 4000), own=False) == []


def test_the_declared_model_is_the_one_in_the_servers_event_of_the_question():
    payload = {"turn_id": "t1", "task": "sort", "model": "m-1"}
    log = {"p1": log_of([row(2, page=SERVER_PAGE, kind="turn_started", payload=payload)])}
    assert declared_model(row(3, participant_id="p1", turn_id="t1"), log) == "m-1"
    assert declared_model(row(3, participant_id="p1", turn_id="t2"), log) == ""
    assert declared_model(row(3, participant_id="p2", turn_id="t1"), log) == ""


def test_a_row_of_the_ledger_has_the_hash_that_was_written_down_elsewhere():
    ledger = [
        row(2, ledger="real", allocation_index=1, row_hash="aa", decision=1),
        row(3, ledger="preview", allocation_index=2, row_hash="bb", decision=1),
    ]

    def checked(*anchors: tuple[int, str], decision: int = 1, hidden: bool = False) -> list[tuple[str, int | None]]:
        opened, found = dataset(rows=lambda _: ledger, hides=lambda _: hidden)
        check_anchors(opened, [SimpleNamespace(index=index, row_hash=value) for index, value in anchors], decision)
        return [(what, number) for what, _, number, _ in found]

    assert checked((1, "aa")) == []
    assert checked((1, "ab")) == [("history_rewritten", 2)]
    # An allocation of the preview is none of the real ledger's.
    assert checked((2, "bb")) == [("row_removed", None)]
    assert checked((1, "aa"), decision=2) == [("row_removed", None)]
    assert checked((1, "ab"), decision=2, hidden=True) == []
