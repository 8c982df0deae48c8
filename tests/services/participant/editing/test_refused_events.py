"""After edits that do not fit, or that the server refused, the next whole text of a page counts, and the log holds."""

from __future__ import annotations

import csv

import pytest
from support.trials.console_trial import Trial

from study_app.dataset.verification import verify
from study_app.domain.editing.edits import replay
from study_app.domain.events import Batch, BrowserEvent
from study_app.domain.events.browser import EventRefused
from study_app.domain.events.changes import ReplayMismatch
from study_app.services.participant.editing.batches import Ingested, as_state
from study_app.services.participant.editing.logged_texts import text_of
from study_app.services.researcher.exporting.datasets import DatasetRequest
from study_app.services.researcher.exporting.progsnap2 import export_progsnap2
from study_app.services.researcher.replay.timeline import timeline

TASK = "trio_timer"
UNFIT = {"kind": "typed", "changes": [{"from": 90, "to": 95, "insert": ""}], "length": 3}
NOTE = {"refused": "edit", "why": "a text has more than 400000 characters"}


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    made = Trial(tmp_path_factory.mktemp("refused"))
    yield made
    made.close()


class Tab:
    """A page at the task."""

    def __init__(self, trial: Trial, who: str) -> None:
        self.trial, self.who, self.seq = trial, who, 0
        trial.app.session.take_over(who, "own")

    def send(self, *said: tuple[str, dict]) -> Ingested:
        events = []
        for kind, payload in said:
            self.seq += 1
            given = {"task": TASK} | payload
            events.append(BrowserEvent(seq=self.seq, kind=kind, client_time_ms=1e12, payload=given))
        return self.trial.app.session.ingest(self.who, Batch(page="own", events=events))

    def saved(self) -> str:
        with self.trial.app.context.registry.begin(write=False) as unit:
            found = unit.document(self.who, TASK)
            assert found is not None
            assert found == text_of(unit, self.who, TASK)
        return found.text


def load(text: str) -> tuple[str, dict]:
    return "load", {"text": text, "source": "saved"}


def typed(insert: str, at: int) -> tuple[str, dict]:
    change = {"from": at, "to": at, "insert": insert}
    return "edit", {"kind": "typed", "changes": [change], "length": at + len(insert)}


@pytest.fixture
def tab(trial):
    return Tab(trial, trial.someone_in("no_ai"))


@pytest.mark.parametrize("wrong", [("edit", UNFIT), ("event_refused", NOTE)], ids=["unfit", "refused"])
def test_the_page_is_asked_for_its_whole_text_until_it_has_sent_it(tab, wrong):
    assert "load_again" not in as_state(tab.send(load("abc")))
    assert as_state(tab.send(wrong))["load_again"] is True
    assert tab.saved() == "abc", "what was saved last stays"
    assert as_state(tab.send(typed("e", 4)))["load_again"] is True
    assert "load_again" not in as_state(tab.send(load("abcd")))
    assert "load_again" not in as_state(tab.send(typed("e", 4)))
    assert tab.saved() == "abcde"


def test_a_whole_text_in_the_same_batch_heals_it_at_once(tab):
    answer = tab.send(load("abc"), ("event_refused", NOTE), typed("e", 4), load("abcde"), typed("f", 5))
    assert "load_again" not in as_state(answer)
    assert tab.saved() == "abcdef"


def test_a_note_in_the_place_of_another_event_leaves_the_text_alone(tab):
    answer = tab.send(load("abc"), ("event_refused", {"task": None, "refused": "copy"}), typed("d", 3))
    assert "load_again" not in as_state(answer)
    assert tab.saved() == "abcd"


def test_from_the_note_to_the_next_whole_text_no_replay_gives_a_text():
    with pytest.raises(ReplayMismatch, match="the server refused the edit"):
        replay([EventRefused(task=TASK, refused="edit")], "abc")
    assert replay([EventRefused(refused="copy")], "abc") == "abc"


def test_programs_after_the_whole_text_are_compared_again_and_those_before_are_no_finding(trial, tab, tmp_path):
    lost = Tab(trial, trial.someone_in("no_ai"))
    for each, *more in ((lost,), (tab, typed("e", 4), load("print(1)\n"))):
        each.send(load("abc"), ("event_refused", NOTE), *more)
        trial.app.submitting.submit(each.who, "print(1)\n", confirm=True, page="own", seq=each.seq)
    other = Tab(trial, trial.someone_in("no_ai"))
    other.send(load("abc"), ("event_refused", NOTE), load("print(2)\n"))
    trial.app.submitting.submit(other.who, "print(1)\n", confirm=True, page="own", seq=other.seq)
    trial.app.grading.grade_pending = lambda: 0
    trial.app.datasets.write(tmp_path / "dataset", DatasetRequest(include_preview=True), who="cli", via="test")
    report = verify(tmp_path / "dataset")
    assert report.ok, report.lines()
    assert report.counts["edits_unapplied"] >= 3
    assert report.counts["program_not_from_edits"] == 1, "of the third, whose edits are known again"


def test_a_replay_shows_a_gap_and_goes_on_with_the_whole_text(tab, trial, tmp_path):
    tab.send(load("abc"), ("event_refused", NOTE), typed("e", 4), load("abcde"), typed("f", 5))
    frames = timeline(trial.app.context, tab.who)["frames"]
    shown = [each["kind"] for each in frames if each.get("task") == TASK and each["kind"] != "task"]
    assert shown == ["text", "gap", "text", "edit"]
    export_progsnap2(trial.app.context, tmp_path / "out", include_preview=True)
    with (tmp_path / "out/MainTable.csv").open(newline="") as handle:
        mine = [row for row in csv.DictReader(handle) if row["SubjectID"] == tab.who]
    rows = [row for row in mine if row["EventType"] == "File.Edit"]
    assert [(row["EditType"], row["InsertText"]) for row in rows[-2:]] == [("Reset", "abcde"), ("Insert", "f")]
