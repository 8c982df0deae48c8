"""A participant whose page was late: what counts is in the dataset, and verify accuses no participant."""

from __future__ import annotations

from support.clock import HandClock
from support.trials.export_world import Walker, open_app, real_study, settle, table

from study_app.dataset.verification import verify
from study_app.domain.events import Batch
from study_app.services.researcher.exporting.export import export

LATE = "# typed in the last second\n"


def test_edits_in_time_that_come_after_the_deadline_are_shown_and_are_no_tampering(tmp_path):
    clock = HandClock()
    app = open_app(tmp_path, clock, real_study(tmp_path))
    person = Walker(app, clock).to_tasks().begin_tasks()
    person.page, person.seq = "page9", 0
    app.session.take_over(person.id, person.page, clock.now().timestamp() * 1000)
    person.send(("load", {"task": person.task, "text": person.text, "source": "saved"}))
    person.type("# in time\n")
    clock.advance(minutes=34, seconds=40)
    typed_at = clock.now().timestamp() * 1000
    clock.advance(minutes=3)
    app.session.sweep()
    settle(app)
    end = len(person.text)
    change = {"task": person.task, "kind": "typed", "changes": [{"from": end, "to": end, "insert": LATE}]}
    event = {"seq": person.seq + 1, "kind": "edit", "client_time_ms": typed_at, "mono_ms": typed_at, "payload": change}
    app.session.ingest(person.id, Batch.model_validate({"page": person.page, "events": [event]}))
    settle(app)
    export(app.context, tmp_path / "dataset", include_preview=True)
    app.close()
    submission = next(
        r for r in table(tmp_path / "dataset", "runs") if (r["kind"], r["task"]) == ("submission", person.task)
    )
    assert submission["code"].endswith(LATE)
    marks = [r["arrived_late"] for r in table(tmp_path / "dataset", "events") if r["kind"] == "edit"]
    assert sorted(marks)[-2:] == ["0", "1"]
    report = verify(tmp_path / "dataset")
    assert report.ok, report.lines()
    assert report.counts == {}
