"""Every kind of event as a type: what is written is what was stored before, and is read back as it was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study_app.domain.events import (
    ERASED,
    KINDS,
    BrowserEvent,
    Erased,
    Unreadable,
    browser,
    details_of,
    server,
    tells_of_reply,
)
from study_app.domain.events.bounds import problem_of
from study_app.domain.events.browser import BrokenText, Edit, Load
from study_app.domain.events.changes import Change
from study_app.domain.events.details import named_fields

ROOT = Path(__file__).parents[3]
OF_PLAN = {"plan": "p", "plan_version": "1", "language": "en"}
FACTS = {"page": "p", "seq": 3, "code_sha256": "0f", "as_edited": None}
WRITTEN: list[tuple[Any, dict[str, Any]]] = [
    (server.Entered(way="link"), {"way": "link"}),
    (server.Reentered(), {}),
    (server.SessionCompleted(session="main", number=1), {"session": "main", "number": 1}),
    (server.SessionMissed(session="later"), {"session": "later"}),
    (server.EntryRefused(foreign="0a"), {"foreign": "0a"}),
    (server.LanguageChosen(language="de", offered=("en", "de")), {"language": "de", "offered": ["en", "de"]}),
    (server.PageOpened(page="p", mono_ms=0.0), {"page": "p", "mono_ms": 0.0}),
    (server.PageSuperseded(page="p", by="q"), {"page": "p", "by": "q"}),
    (server.Withdrew(), {}),
    (server.DataWithdrawn(who="participant"), {"who": "participant"}),
    (server.Excluded(reason="asked to", who="ada"), {"reason": "asked to", "who": "ada"}),
    (server.Finished(), {}),
    (server.StageOpened(minutes=None), {"minutes": None}),
    (server.StageOpened(minutes=7), {"minutes": 7}),
    (server.StageEnded(ended_by="deadline"), {"ended_by": "deadline"}),
    (server.StageReopened(minutes=2.5), {"minutes": 2.5}),
    (server.DeadlineExtended(minutes=5), {"minutes": 5}),
    (server.ParticipantPaused(), {}),
    (server.ParticipantResumed(seconds=90.0), {"seconds": 90.0}),
    (server.AnswerErased(item="free_text"), {"item": "free_text"}),
    (server.SessionScheduled(opens_at="2026-01-01T00:00:00+00:00"), {"opens_at": "2026-01-01T00:00:00+00:00"}),
    (server.OrderDrawn(orders={"items": ["b", "a"]}), {"orders": {"items": ["b", "a"]}}),
    (server.Consented(), {}),
    (server.Declined(), {}),
    (server.ScreenedOut(questions=("age",)), {"questions": ["age"]}),
    (server.NoPlace(), {}),
    (server.QuotaFull(question="years"), {"question": "years"}),
    (server.PlaceLost(), {}),
    (server.Allocated(index=4), {"index": 4}),
    (
        server.SecondDecided(responded=False, index=2, known={"halfway_points": 1.0}),
        {"responded": False, "index": 2, "known": {"halfway_points": 1.0}},
    ),
    (
        server.AnswersHandedIn(items=("q1", "q2"), page=1, by="deadline"),
        {"items": ["q1", "q2"], "page": 1, "by": "deadline"},
    ),
    (server.TaskShown(task="t", index=1), {"task": "t", "index": 1}),
    (server.TaskSubmitted(task="t", run_id="r", **FACTS), {"task": "t", "run_id": "r", **FACTS}),
    (
        server.TaskSubmitted(task="t", run_id="r", code_sha256="0f", as_edited=True),
        {"task": "t", "run_id": "r", "page": None, "seq": None, "code_sha256": "0f", "as_edited": True},
    ),
    (
        server.ReportedImpossible(task="t", run_id="r", reason="two examples exclude each other"),
        {"task": "t", "run_id": "r", "reason": "two examples exclude each other"},
    ),
    (server.SubmissionLate(task="t", run_id="r", code_sha256="0f"), {"task": "t", "run_id": "r", "code_sha256": "0f"}),
    (server.RunStarted(task="t", run_id="r", **FACTS), {"task": "t", "run_id": "r", **FACTS}),
    (
        server.RunEnded(run_id="r", ended_by="exit", wall_seconds=0.5),
        {"run_id": "r", "ended_by": "exit", "wall_seconds": 0.5},
    ),
    (
        server.FigureShown(run_id="r", place=1, sha256="0f", png="iVBO"),
        {"run_id": "r", "place": 1, "sha256": "0f", "png": "iVBO"},
    ),
    (
        server.ProgramError(run_id="r", error_type="ValueError", message=None, line=3),
        {"run_id": "r", "type": "ValueError", "message": None, "line": 3},
    ),
    (server.EditsUnapplied(page="p", task="t", why="late"), {"page": "p", "task": "t", "why": "late"}),
    (server.TurnStarted(turn_id="u", task="t", model="m"), {"turn_id": "u", "task": "t", "model": "m"}),
    (
        server.TurnStarted(turn_id="u", task="t", model="m", **FACTS),
        {"turn_id": "u", "task": "t", "model": "m", **FACTS},
    ),
    (
        server.TurnEnded(turn_id="u", error=None, stopped=False),
        {"turn_id": "u", "error": None, "stopped": False},
    ),
    (
        server.TurnEnded(turn_id="u", error=None, stopped=True, withheld_chars=0),
        {"turn_id": "u", "error": None, "stopped": True, "withheld_chars": 0},
    ),
    (
        server.TurnEnded(turn_id="u", error=None, stopped=True, autonomous_seconds=4.5),
        {"turn_id": "u", "error": None, "stopped": True, "autonomous_seconds": 4.5},
    ),
    (
        server.InterviewAsked(
            interview_id="i", turn_id="u", number=1, topic="t", action="core", question="?", by="plan", **OF_PLAN
        ),
        {
            "interview_id": "i",
            "turn_id": "u",
            "number": 1,
            "topic": "t",
            "action": "core",
            "question": "?",
            "by": "plan",
            **OF_PLAN,
        },
    ),
    (
        server.InterviewAnswered(turn_id="u", outcome="skipped"),
        {"turn_id": "u", "outcome": "skipped"},
    ),
    (
        server.InterviewClosed(interview_id="i", ended_by="completed", summary="s", summary_by="rule"),
        {"interview_id": "i", "ended_by": "completed", "summary": "s", "summary_by": "rule"},
    ),
    (
        server.InterviewRated(interview_id="i", rating=4, missing=None),
        {"interview_id": "i", "rating": 4, "missing": None},
    ),
    (
        server.AgentProposed(
            action_id="a", turn_id="u", task="t", step=1, tool="run", input={}, base_sha256="0f", waits=True
        ),
        {
            "action_id": "a",
            "turn_id": "u",
            "task": "t",
            "step": 1,
            "tool": "run",
            "input": {},
            "base_sha256": "0f",
            "waits": True,
            "model": None,
            "input_tokens": None,
            "output_tokens": None,
            "said_chars": None,
        },
    ),
    (
        server.AgentProposed(
            action_id="a",
            turn_id="u",
            task="t",
            step=2,
            tool="edit",
            input={"old": "", "new": "x"},
            base_sha256="0f",
            waits=False,
            start=0,
            end=0,
            length=0,
            line=1,
            model="m",
        ),
        {
            "action_id": "a",
            "turn_id": "u",
            "task": "t",
            "step": 2,
            "tool": "edit",
            "input": {"old": "", "new": "x"},
            "base_sha256": "0f",
            "waits": False,
            "start": 0,
            "end": 0,
            "length": 0,
            "line": 1,
            "model": "m",
            "input_tokens": None,
            "output_tokens": None,
            "said_chars": None,
        },
    ),
    (
        server.AgentDecided(action_id="a", decision="approve", seconds=2.5, applied_chars=1),
        {"action_id": "a", "decision": "approve", "seconds": 2.5, "applied_chars": 1},
    ),
    (
        server.AgentDecided(action_id="a", decision="reject", seconds=2.5, words="no"),
        {"action_id": "a", "decision": "reject", "seconds": 2.5, "words": "no"},
    ),
    (
        server.AgentActed(action_id="a", result="Done.", failed=False),
        {"action_id": "a", "result": "Done.", "failed": False},
    ),
    (
        server.AgentActed(action_id="a", result="Done.", failed=False, run_id="r"),
        {"action_id": "a", "result": "Done.", "failed": False, "run_id": "r"},
    ),
    (
        server.GateJudged(turn_id="u", task="t", verdict="open", by="", reason="", version="gate-1"),
        {"turn_id": "u", "task": "t", "verdict": "open", "by": "", "reason": "", "version": "gate-1"},
    ),
    (
        server.GateJudged(
            turn_id="u", task="t", verdict="explained", by="claude", reason="x", version="gate-1", model="m"
        ),
        {
            "turn_id": "u",
            "task": "t",
            "verdict": "explained",
            "by": "claude",
            "reason": "x",
            "version": "gate-1",
            "model": "m",
            "input_tokens": None,
            "output_tokens": None,
        },
    ),
    (server.TurnRefused(reason="no"), {"reason": "no"}),
    (server.Outage(turn_id="u", cause="timeout", seconds=3.0), {"turn_id": "u", "kind": "timeout", "seconds": 3.0}),
    (server.Outage(cause="isolation", seconds=2.0), {"kind": "isolation", "seconds": 2.0}),
    (
        server.Outage(run_id="r", ended_by="infrastructure", wall_seconds=None),
        {"run_id": "r", "ended_by": "infrastructure", "wall_seconds": None},
    ),
    (
        browser.Edit(task="t", how="typed", changes=(Change(0, 1, "x", "y"),), length=1, user_event="input.type"),
        {
            "task": "t",
            "kind": "typed",
            "changes": [{"from": 0, "to": 1, "insert": "x", "deleted": "y"}],
            "length": 1,
            "user_event": "input.type",
        },
    ),
    (
        browser.PasteAttempt(text="x", length=1, how="paste", target="editor", origin="outside"),
        {"text": "x", "length": 1, "how": "paste", "target": "editor", "from": "outside"},
    ),
    (
        server.ProbeShown(minute=5.0, task="t", seconds=60.0),
        {"minute": 5.0, "task": "t", "seconds": 60.0},
    ),
    (
        server.ProbeAnswered(minute=5.0, outcome="skipped", seconds=4.5),
        {
            "minute": 5.0,
            "outcome": "skipped",
            "seconds": 4.5,
            "valence": None,
            "arousal": None,
            "calm_desperate": None,
        },
    ),
    (browser.Resize(width=1280, height=720), {"w": 1280, "h": 720}),
]
"""What the server and simulated pages wrote before the kinds had types."""


@pytest.mark.parametrize(("details", "payload"), WRITTEN, ids=lambda value: getattr(value, "kind", ""))
def test_a_kind_writes_the_payload_that_it_always_wrote_and_reads_it_back(details, payload):
    assert details.payload() == payload
    assert details_of(details.kind, json.loads(json.dumps(payload))) == details


def test_every_kind_of_the_server_has_its_payload_in_the_list_above():
    assert {details.kind for details, _ in WRITTEN} >= {each.kind for each in KINDS.values() if each.sender == "server"}


def test_every_kind_is_one_class_with_a_sentence_on_what_happened():
    for name, kind in KINDS.items():
        assert kind.kind == name
        assert (kind.__doc__ or "").strip().endswith("."), name
        keys = [each.key for each in named_fields(kind)]
        assert len(keys) == len(set(keys)), name


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = sorted({each.key for kind in KINDS.values() for each in named_fields(kind)} | {"x", "erased"})


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6) | JSON)
def test_whatever_is_stored_is_read_or_named_unreadable(kind, payload):
    details = details_of(kind, payload)
    assert isinstance(details, KINDS[kind] | Unreadable | Erased)
    if isinstance(payload, dict) and problem_of(kind, payload) is None and payload != ERASED:
        assert isinstance(details, KINDS[kind])


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6))
def test_an_event_of_a_page_is_stored_word_for_word(kind, payload):
    if problem_of(kind, payload) is None:
        event = BrowserEvent(seq=1, kind=kind, client_time_ms=0, payload=payload)
        assert json.dumps(event.payload) == json.dumps(payload)


def test_an_edit_that_was_altered_still_names_its_task():
    assert details_of("edit", {"task": "t", "changes": 5}) == BrokenText("an edit without changes", task="t")
    assert isinstance(details_of("edit", {"task": "t", "changes": []}), Edit)
    assert details_of("load", {"task": "t", "text": 5}) == BrokenText("'text' is not a text", task="t")
    assert details_of("load", {"text": "x"}) == Load(text="x")


def test_a_page_cannot_pass_its_event_off_as_erased():
    said = {"task": "t", "changes": [], "erased": True}
    assert isinstance(details_of("edit", said), Edit)
    assert details_of("edit", ERASED) == Erased()


@pytest.mark.parametrize(
    ("kind", "payload", "claims"),
    [
        ("copy_reply", {}, True),
        ("paste_attempt", {"from": "reply"}, True),
        ("paste_attempt", {"from": "outside"}, False),
        ("copy", {"from": "reply"}, True),
        ("focus", {"from": "reply"}, True),
    ],
)
def test_an_event_that_only_a_reply_can_cause_is_recognised(kind, payload, claims):
    assert tells_of_reply(kind, payload) is claims


def test_no_module_looks_into_a_payload_by_the_name_of_a_key():
    # An export for everybody goes through all keys, also those that no kind has.
    homes = ("domain/events/", "dataset/disclosure/")
    paths = [path for path in (ROOT / "study_app").rglob("*.py") if not any(home in str(path) for home in homes)]
    found = [path for path in paths if 'payload["' in (text := path.read_text()) or ".payload.get(" in text]
    assert found == []
