"""Whatever a participant's browser sends, `study verify` lists it and finds no tampering."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from support.trials.console_trial import Trial

from study_app.dataset.findings import BROWSER, PROTOCOL, class_of
from study_app.dataset.verification import VerifyReport, verify
from study_app.domain.errors import Malformed
from study_app.domain.events import Batch, BrowserEvent
from study_app.services.researcher.exporting.datasets import DatasetRequest

TASK = "trio_timer"
UNFIT = {"from": 0, "to": 9, "insert": "x"}
NONSENSE = [[[1]], [None], ["x"], [{"from": 5, "to": 1}], [UNFIT], [{"from": True}], "x", None, [[]]]


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    made = Trial(tmp_path_factory.mktemp("classes"))
    yield made
    made.close()


def event(seq: int, kind: str, payload: dict | None = None, mono: float | None = None) -> BrowserEvent:
    return BrowserEvent(seq=seq, kind=kind, client_time_ms=1e12, mono_ms=mono, payload=payload or {})


def send(trial: Trial, who: str, *events: BrowserEvent, page: str = "own") -> None:
    trial.app.session.take_over(who, page)
    trial.app.session.ingest(who, Batch(page=page, events=list(events)))


def edit(changes: object, **more: object) -> dict:
    return {"task": TASK, "kind": "typed", "changes": changes, "length": 3} | more


LOAD = {"task": TASK, "text": "abc", "source": "starter"}


def verified(trial: Trial, folder: Path) -> VerifyReport:
    trial.app.scoring.score_pending()
    trial.app.grading.grade_pending = lambda: 0
    trial.app.datasets.write(folder / "dataset", DatasetRequest(include_preview=True), who="cli", via="test")
    return verify(folder / "dataset")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("changes", NONSENSE, ids=map(str, range(len(NONSENSE))))
def test_edits_that_do_not_fit_are_kept_and_listed(trial, tmp_path, changes):
    who = trial.someone_in("no_ai")
    try:
        wrong = event(2, "edit", edit(changes))
    except ValidationError:
        return  # Refused with 400: what is not an edit at all is not stored.
    send(trial, who, event(1, "load", LOAD), wrong, event(3, "edit", edit([])))
    trial.app.submitting.submit(who, "print(1)\n", confirm=True)
    report = verified(trial, tmp_path)
    assert report.ok, report.lines()
    assert report.counts["edits_unapplied"] >= 1


def test_events_beyond_a_gap_are_listed_and_their_edits_are_not_replayed(trial, tmp_path):
    who = trial.someone_in("no_ai")
    send(trial, who, event(1, "load", LOAD), event(3, "edit", edit([UNFIT])))
    send(trial, who, event(7, "focus"), page="another")
    report = verified(trial, tmp_path)
    assert report.ok, report.lines()
    assert report.counts["browser_gap"] >= 2


def test_a_clock_that_goes_back_is_listed(trial, tmp_path):
    who = trial.someone_in("no_ai")
    send(trial, who, event(1, "focus", mono=500.0), event(2, "blur", mono=100.0))
    report = verified(trial, tmp_path)
    assert report.ok, report.lines()
    assert report.counts["browser_clock_back"] >= 1


def test_a_program_that_is_not_what_the_edits_give_is_listed(trial, tmp_path):
    who = trial.someone_in("no_ai")
    send(trial, who, event(1, "load", LOAD))
    trial.app.submitting.submit(who, "another program\n", confirm=True, page="own", seq=1)
    report = verified(trial, tmp_path)
    assert report.ok, report.lines()
    assert report.counts["program_not_from_edits"] >= 1


def test_edits_that_come_after_the_stage_are_listed_where_they_do_not_fit(trial, tmp_path):
    who = trial.someone_in("no_ai")
    send(trial, who, event(1, "load", LOAD))
    for _ in range(2):
        trial.app.submitting.submit(who, "print(1)\n", confirm=True)
    trial.app.session.ingest(who, Batch(page="own", events=[event(2, "edit", edit([UNFIT]))]))
    report = verified(trial, tmp_path)
    assert report.ok, report.lines()


@pytest.mark.parametrize(
    ("kind", "payload"),
    [("copy_reply", {"text": "x"}), ("paste_attempt", {"from": "reply"}), ("focus", {"from": "reply"})],
)
def test_an_event_that_only_a_reply_can_cause_is_refused_where_there_is_no_assistant(trial, kind, payload):
    who = trial.someone_in("no_ai")
    with pytest.raises(Malformed, match="no assistant"):
        send(trial, who, event(1, kind, payload))
    other = trial.someone_in("ai")
    send(trial, other, event(1, kind, payload))


@pytest.mark.parametrize(
    "text",
    [
        '{"seq": 1, "kind": "focus", "client_time_ms": 1, "mono_ms": 1e999}',
        '{"seq": 1, "kind": "focus", "client_time_ms": 1, "mono_ms": -1}',
        '{"seq": 1, "kind": "focus", "client_time_ms": 1, "payload": {"w": [{"h": 1e999}]}}',
        '{"seq": 1, "kind": "focus", "client_time_ms": 1, "w": -1e999}',
    ],
)
def test_numbers_that_are_no_json_are_refused(text):
    with pytest.raises(ValidationError):
        BrowserEvent.model_validate(json.loads(text))


def test_a_claimed_reply_in_an_older_dataset_is_listed_and_a_turn_there_is_tampering(trial, tmp_path):
    who = trial.someone_in("no_ai")
    with trial.app.context.registry.begin() as unit:
        unit.store_batch(who, "old", "tasks", trial.clock.now(), [event(1, "copy_reply", {"text": "x"})])
    report = verified(trial, tmp_path)
    assert report.ok, report.lines()
    assert report.counts["claims_a_reply"] == 1
    trial.ask(who, TASK, "help", "a reply")
    report = verified(trial, tmp_path / "more")
    assert not report.ok
    assert "assistant_in_wrong_arm" in report.counts


def test_the_json_report_names_the_class_of_each_finding_and_counts_them():
    report = VerifyReport("there")
    for name in ("browser_gap", "row_altered", "model_differs"):
        report.add(name, "data/x.csv", 2, "something")
    found = report.to_json()
    assert {each["name"]: each["class"] for each in found["findings"]} == {
        "browser_gap": "browser",
        "row_altered": "tampering",
        "model_differs": "protocol",
    }
    assert found["classes"] == {"tampering": 1, "protocol": 1, "browser": 1}
    assert not found["ok"]
    assert not BROWSER & PROTOCOL
    assert class_of("anything else") == "tampering"
