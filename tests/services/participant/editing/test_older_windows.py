"""Of two windows of one person the newer one's program counts, however late the older one's edits arrive."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.trials.console_trial import Trial

from study_app.dataset.verification import verify
from study_app.domain.events import Batch, saying
from study_app.domain.events.server import EditsUnapplied
from study_app.domain.records import Visit
from study_app.services.participant.editing.logged_texts import text_of
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting.export import export

TASK = "trio_timer"
MINUTES = 35
STARTER, OLD, NEW = "starter\n", "old window\n", "new window\n"


class Window:
    """A browser page at the task: what it logs waits until it is sent."""

    def __init__(self, trial: Trial, who: str, name: str) -> None:
        self.trial, self.who, self.name, self.text = trial, who, name, STARTER
        self.opened = trial.clock.now()
        trial.app.session.take_over(who, name, 0.0)
        self.waiting: list[dict] = []
        self.seq = 0
        self._log("load", {"text": STARTER, "source": "starter"})

    def _log(self, kind: str, payload: dict) -> None:
        self.seq += 1
        mono_ms = (self.trial.clock.now() - self.opened) / timedelta(milliseconds=1)
        event = {"seq": self.seq, "kind": kind, "client_time_ms": 0, "mono_ms": mono_ms}
        self.waiting.append(event | {"payload": {"task": TASK, **payload}})

    def type(self, text: str) -> None:
        self.trial.clock.advance(minutes=1)
        changes = [{"from": 0, "to": len(self.text), "insert": text}]
        self._log("edit", {"kind": "typed", "changes": changes, "length": len(text)})
        self.text = text

    def send(self) -> bool:
        """Send what waits; whether the answer is that another window has taken over."""
        batch, self.waiting = {"page": self.name, "events": self.waiting}, []
        return self.trial.app.session.ingest(self.who, Batch.model_validate(batch)).superseded


@pytest.fixture
def trial(tmp_path):
    made = Trial(tmp_path)
    yield made
    made.close()


@pytest.fixture
def who(trial):
    name = trial.app.enrol.enter(EntryRequest()).participant.id
    now = trial.clock.now()
    with trial.app.context.registry.begin() as unit:
        unit.touch(name, stage="tasks", arm="ai")
        unit.open_visit(Visit(name, "tasks", now, now + timedelta(minutes=MINUTES)))
    return name


def submitted(trial: Trial, who: str) -> list[str]:
    with trial.app.context.registry.begin(write=False) as unit:
        return [run.code for run in unit.runs(who) if run.kind == "submission"]


@pytest.mark.parametrize("after_the_deadline", [False, True])
def test_an_older_window_whose_first_edits_arrive_late_takes_nothing_from_the_newer_one(
    trial, who, tmp_path, after_the_deadline
):
    old = Window(trial, who, "old")
    old.type(OLD)
    new = Window(trial, who, "new")
    new.type(NEW)
    new.send()
    if after_the_deadline:
        trial.clock.advance(minutes=MINUTES)
        trial.app.session.sweep()
    assert old.send(), "it hears that it was taken over"
    with trial.app.context.registry.begin(write=False) as unit:
        found = text_of(unit, who, TASK)
        noted = [each for _, each in saying(unit.events_of(who, {EditsUnapplied.kind}), EditsUnapplied)]
    assert found is not None
    assert found.text == NEW
    assert [(each.page, each.why) for each in noted] == [("old", "superseded")]
    last = NEW
    if not after_the_deadline:
        last = NEW + "# goes on\n"
        new.type(last)
        new.send()
        trial.clock.advance(minutes=MINUTES)
        trial.app.session.sweep()
    assert submitted(trial, who) == [last]
    export(trial.app.context, tmp_path / "out", include_preview=True)
    counts = verify(tmp_path / "out").counts
    assert not {"edits_unapplied", "replay_mismatch", "code_differs_from_edits", "program_not_from_edits"} & set(counts)


def test_a_newer_window_takes_over_although_its_edits_arrive_after_the_deadline(trial, who):
    old = Window(trial, who, "old")
    old.type(OLD)
    old.send()
    new = Window(trial, who, "new")
    new.type(NEW)
    trial.clock.advance(minutes=MINUTES)
    trial.app.session.sweep()
    assert submitted(trial, who) == [OLD]
    new.send()
    assert submitted(trial, who) == [NEW]
