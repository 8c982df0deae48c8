"""Lanes of a replay, the order of its events, and counts of the console, each from the records that it rests on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from study_app.domain.events import SERVER_PAGE, Event
from study_app.domain.records import AuditEntry, Participant, RunRecord, Turn
from study_app.domain.study.study import Study
from study_app.ports import Stay
from study_app.services.researcher.console_views import stage_counts
from study_app.services.researcher.monitoring import UNBLINDED, unblinded
from study_app.services.researcher.replay.material import ReplayMaterial, ordered
from study_app.services.researcher.replay.swimlanes import is_typing, lanes, typing_spells

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
STUDY = Study.model_validate(
    {
        "schema": "study/1", "id": "counted", "title": "Counted", "allocation": {"method": "simple"},
        "arms": [{"id": "plain", "control": True}, {"id": "other", "instructions": "Go on."}],
        "stages": [
            {"id": "consent", "kind": "consent", "title": "Agreement"}, {"id": "instructions", "kind": "instructions"},
            {"id": "debrief", "kind": "debrief"},
        ],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("edits", "spells"),
    [
        ([], []),
        ([1.0], [(1.0, 1.5)]),
        # Two seconds after the end of a spell another one begins.
        ([1.0, 3.25], [(1.0, 3.75)]),
        ([1.0, 3.5], [(1.0, 1.5), (3.5, 4.0)]),
        ([1.0, 1.25, 1.0], [(1.0, 1.75)]),
    ],
)
def test_edits_less_than_two_seconds_apart_are_one_spell_of_typing(edits, spells, monkeypatch):
    monkeypatch.setattr("study_app.services.researcher.replay.swimlanes.KEYSTROKE", 0.5)
    assert typing_spells(edits) == spells


def event(page: str, seq: int, kind: str = "edit", **payload: object) -> Event:
    return Event("p1", page, seq, kind, "work", START, payload=payload)


def test_what_an_agent_changes_is_not_typing():
    assert is_typing(event("p", 1, task="sort", changes=[]))
    assert not is_typing(event("p", 1, task="sort", changes=[], action_id="a1"))
    assert not is_typing(event("p", 1, "focus"))


def test_each_lane_holds_when_something_began_and_ended_to_a_hundredth_of_a_second():
    def after(seconds: float) -> datetime:
        return START + timedelta(seconds=seconds)

    ran = RunRecord("r1", "p1", "sort", "work", "run", "", after(10.1236), wall_seconds=2.5)
    asked = Turn("t1", "p1", "sort", "notes", "full", "notes", "1", "?", "!", "", after(40.0049), total_seconds=9.0,
                 composing_seconds=14.0, complete=True)  # fmt: skip
    brief = replace(asked, id="t2", asked_at=after(60.0), total_seconds=None, composing_seconds=None)
    at = [1.0051, 1.3]
    material = ReplayMaterial(
        Participant("p1", "real", "h", "in_progress", "work", 0, START, START), STUDY, [],
        [ran, replace(ran, id="r2", started_at=after(20), wall_seconds=None), replace(ran, id="r3", kind="agent")],
        [asked, brief], [event("p", seq, task="sort", changes=[]) for seq in (1, 2)], at, START,
    )  # fmt: skip
    assert lanes(material, 90.0) == {
        "typing": [(1.01, 1.7)],
        "running": [(10.12, 12.62), (20.0, 20.4)],
        "asking": [(26.0, 40.0), (59.6, 60.0)],
        "waiting": [(40.0, 49.0)],
        "away": [],
    }


def test_events_of_a_page_keep_their_order_and_come_before_what_the_server_made_of_them():
    events = [event(SERVER_PAGE, 7), event("p", 2), event("p", 1), event("p", 3), event("q", 1)]
    # The clock of the page went back between its first event and its second.
    placed = ordered(events, [5.0, 4.0, 5.0, 6.0, 5.5])
    assert [(moment, each.page, each.seq) for moment, each in placed] == [
        (5.0, "p", 1), (5.0, "p", 2), (5.0, SERVER_PAGE, 7), (5.5, "q", 1), (6.0, "p", 3),
    ]  # fmt: skip


class Someone:
    def __init__(self, name: str, stage: str) -> None:
        self.id, self.stage = name, stage


def test_a_stage_is_reached_by_a_visit_and_the_debrief_by_finishing():
    people = [Someone("a", "debrief"), Someone("b", "instructions"), Someone("c", "instructions")]
    statuses = {"a": "completed", "b": "in_progress", "c": "abandoned"}
    stays = [
        *(Stay("consent", seconds) for seconds in (60.0, 120.0, 300.0)),
        Stay("instructions", 30.0), Stay("instructions", None), Stay("instructions", None),
    ]  # fmt: skip
    consent, instructions, debrief = stage_counts(STUDY, people, stays, statuses)  # type: ignore[arg-type]
    assert (consent.title, consent.reached, consent.ended, consent.median_minutes) == ("Agreement", 3, 3, 2.0)
    assert (instructions.title, instructions.reached, instructions.here) == ("instructions", 3, 1)
    assert (instructions.ended, instructions.median_minutes) == (1, 0.5)
    assert (debrief.reached, debrief.ended, debrief.here, debrief.median_minutes) == (1, 1, 0, None)


def test_who_saw_chats_code_or_an_arm_counts_from_the_first_time():
    def act(who: str, what: str, hours: int) -> AuditEntry:
        return AuditEntry(START + timedelta(hours=hours), who, what, "", {})

    entries = [act("ben", "unblind", 3), act("anna", UNBLINDED, 2), act("ben", UNBLINDED, 1), act("carl", "export", 0)]
    assert unblinded(entries, {}) == [
        ("anna", START + timedelta(hours=2), 1),
        ("ben", START + timedelta(hours=1), 2),
    ]


def test_acts_on_previews_of_earlier_versions_and_looks_after_unsealing_unblind_no_one():
    def act(who: str, what: str, hours: int, **detail: str) -> AuditEntry:
        return AuditEntry(START + timedelta(hours=hours), who, what, "", detail)

    entries = [
        act("ann", "unblind", 1, participant_id="preview7"),
        act("ben", UNBLINDED, 1, seen="replay preview7"),
        act("carl", UNBLINDED, 1, seen="link that leads in as preview7"),
        act("dora", "unblind", 1, participant_id="p1"),
        act("emil", UNBLINDED, 1, seen="replay p1"),
        act("fred", UNBLINDED, 1, seen="queries"),
        act("gil", "unseal", 2),
        act("hana", UNBLINDED, 3, seen="replay p1"),
    ]
    found = unblinded(entries, {"preview7": "preview", "p1": "real"})
    assert [who for who, _, _ in found] == ["dora", "emil", "fred"]
