"""Whatever the platform and its people honestly do, `verify` finds nothing: one trial in which everything happens."""

from __future__ import annotations

import pytest
from support.clock import HandClock
from support.trials.export_world import EntryRequest, Walker, ids, open_app, real_study, settle

from study_app.dataset.verification import verify
from study_app.services.researcher.exporting.export import export
from study_app.storage.anchor_file import AnchorFile

FORMS = {
    "csv": {},
    "parquet": {"fmt": "parquet"},
    "public": {"public": True, "k": 2},
    "identified": {"identified": True},
    "with previews": {"include_preview": True},
}


class EventfulTrial:
    """A launched study with two servers over one database, and most of what can happen to people."""

    def __init__(self, folder, url):
        self.folder, self.url, self.clock, self.ids = folder, url, HandClock(), ids()
        self.study = real_study(folder)
        self.app = self._open()
        self.preview = Walker(self.app, self.clock).to_tasks().begin_tasks()
        self.app.lifecycle.launch()
        self.other = self._open()
        labels = [f"person{number}@example.org" for number in range(12)]
        self.links = [link.secret for link in self.app.links.create(labels=labels)]

    def _open(self):
        return open_app(self.folder, self.clock, self.study, database=self.url, fresh_ids=self.ids)

    def restart(self):
        self.app.close()
        self.other.close()
        self.app, self.other = self._open(), self._open()

    def enter(self, *, at=None):
        self.clock.advance(minutes=1)
        return Walker(at or self.app, self.clock, EntryRequest(link=self.links.pop()))

    def happen(self):
        """Everything."""
        acts, clock = self.app.acts, self.clock
        paused = self.enter().to_tasks().begin_tasks()
        paused.type("# one\n")
        acts.pause(paused.id, "the fire alarm rang", "anna")
        clock.advance(minutes=15)
        acts.resume(paused.id, "all clear", "anna")
        acts.extend(paused.id, 5, "the fire alarm rang", "anna")
        # One person, served by both servers in turn.
        paused.app = self.other
        paused.type("# two\n")
        paused.app = self.app
        paused.solve_tasks(minutes=3).quiz().exit()
        self.enter(at=self.other).whole_way()
        self._leave()
        self._without_the_key()
        late = self.enter().to_tasks().begin_tasks()
        late.type("# slow\n")
        clock.advance(hours=2)
        self.app.session.where(late.id)
        self.app.reopening.reopen(late.id, "tasks", 5, "the network failed", "anna")
        self.app.session.where(late.id)
        clock.advance(hours=3)
        self.app.session.sweep()
        settle(self.app)
        self.app.anchoring.tick()

    def _leave(self):
        acts = self.app.acts
        with_data, without = self.enter().to_tasks().begin_tasks(), self.enter().to_tasks().begin_tasks()
        for person in (with_data, without):
            person.type("# leaving\n")
        self.app.session.withdraw(with_data.id, False)
        self.app.session.withdraw(without.id, True)
        erased = self.enter(at=self.other).whole_way()
        acts.erase(erased.id, "asked by mail", "anna")
        one = self.enter().to_tasks().begin_tasks()
        acts.erase_answer(one.id, "background", "years_coding", "asked by mail", "anna")
        one.solve_tasks(minutes=2).quiz(answered=3).exit()
        self.app.lifecycle.exclude(one.id, "took part with a colleague", "anna")
        ended = self.enter().to_tasks().begin_tasks()
        acts.end(ended.id, "asked by telephone", "anna")
        self.enter().consent()

    def _without_the_key(self):
        key = self.folder / "var" / "seal.key"
        text, at_work = key.read_bytes(), self.enter().to_tasks().begin_tasks()
        key.unlink()
        self.restart()
        at_work.app = self.other
        at_work.type("# no key\n")
        at_work.app = self.app
        at_work.solve_tasks(minutes=2).quiz().exit()
        self.app.anchoring.tick()
        key.write_bytes(text)
        self.clock.advance(minutes=1)
        self.app.head_signing.tick()
        self.restart()

    def report(self, name, how):
        out = self.folder / f"dataset {name}"
        export(self.app.context, out, **how)
        kept = AnchorFile(self.folder / "var" / "ledger.anchors").read()
        return verify(out, heads=[head for anchor in kept for head in anchor.heads])

    def check(self, state, names):
        said = {}
        for name in names:
            report = self.report(f"{state} {name}", FORMS[name])
            said |= {f"{state}, {name}": report.lines()} if report.findings else {}
        assert said == {}


def everything(folder, url, names):
    trial = EventfulTrial(folder, url)
    try:
        trial.happen()
        trial.check("launched", names)
        trial.app.lifecycle.close("enough")
        trial.clock.advance(days=2)
        trial.app.session.sweep()
        settle(trial.app)
        trial.check("closed", names)
        trial.app.lifecycle.unseal("analysis begins")
        trial.check("unsealed", names)
    finally:
        trial.app.close()
        trial.other.close()


@pytest.mark.slow
def test_nothing_is_found_in_an_honest_trial_in_which_everything_happens(tmp_path, database_url):
    everything(tmp_path, database_url, FORMS)
