"""A second decision of real people, launched and masked: slots, places, anchors, withdrawal between the decisions."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest
from support.clock import HandClock
from support.databases import POSTGRES_IS_SLOW
from support.trials.console_trial import NoSandbox
from support.warm_processes import run_study

from study_app.bootstrap import App, start
from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed
from study_app.domain.ledger import LedgerRow
from study_app.domain.records import Participant
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting.export import export
from study_app.services.researcher.monitoring import Monitor
from study_app.settings import Settings
from study_app.storage.anchor_file import AnchorFile

STUDY = """
schema = "study/1"
id = "again"
title = "Again"
researchers = "Dr A. Example"
ethics = "No. 2026-17"
consent.pay = "None."
consent.risks = "None."
[[arms]]
id = "plain"
control = true
instructions = "Go."
[[arms]]
id = "other"
instructions = "Go on."
[allocation]
method = "permuted_blocks"
block_sizes = [2]
{replacement}
[recruitment]
entry = "links"
target_n = {target}
[second_decision]
stage = "more"
responds = "mood >= 4"
block_sizes = [2]
[[second_decision.treatments]]
id = "stay"
[[second_decision.treatments]]
id = "longer"
instructions = "Read it all once more."
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "instructions"
kind = "instructions"
[[stages]]
id = "halfway"
kind = "survey"
questions = [{{ id = "mood", kind = "scale", low = 1, high = 7, prompt = "Mood?" }}]
[[stages]]
id = "more"
kind = "instructions"
[[stages]]
id = "after"
kind = "survey"
questions = [{{ id = "mood_after", kind = "scale", low = 1, high = 7, prompt = "And now?" }}]
[[stages]]
id = "debrief"
kind = "debrief"
[analysis]
primary = ["mood_after"]
covariates = []
subgroups = []
[[analysis.outcomes]]
id = "mood_after"
kind = "continuous"
"""
RETURNED = 'replacement = "return_slot"'


class Trial:
    """A launched study with a second decision."""

    def __init__(self, folder: Path, url: str, replacement: str = "", target: int = 20) -> None:
        file = folder / "study.toml"
        file.write_text(STUDY.format(replacement=replacement, target=target))
        self.clock, self.folder = HandClock(), folder
        settings = Settings(file, url, folder / "var", environment={})
        self.app: App = start(settings, clock=self.clock, sandbox=NoSandbox())
        self.app.lifecycle.launch()

    def to_halfway(self) -> str:
        self.clock.advance(minutes=1)
        (link,) = self.app.links.create(1)
        who = self.app.enrol.enter(EntryRequest(link=link.secret)).participant.id
        self.app.session.where(who)
        self.app.session.consent(who, True)
        self.app.session.continue_(who, "instructions")
        return who

    def answer(self, who: str, mood: int) -> Participant:
        self.app.session.where(who)
        return self.app.answers.submit_survey(who, "halfway", {"mood": mood}).participant

    def finish(self, who: str) -> Participant:
        self.app.session.continue_(who, "more")
        return self.app.answers.submit_survey(who, "after", {"mood_after": 5}).participant

    def person(self, who: str) -> Participant:
        with self.app.context.registry.begin(write=False) as unit:
            return unit.known_participant(who)

    def second(self) -> list[LedgerRow]:
        with self.app.context.registry.begin(write=False) as unit:
            return [LedgerRow.parse(row) for row in unit.allocations("real", 2)]

    def unsealed(self, name: str = "dataset") -> Path:
        self.clock.advance(hours=30)
        self.app.session.sweep()
        self.app.lifecycle.close("enough")
        self.app.lifecycle.unseal("analysis")
        export(self.app.context, self.folder / name)
        return self.folder / name


@pytest.fixture
def trial(tmp_path, database_url):
    made: list[Trial] = []

    def make(**more) -> Trial:
        made.append(Trial(tmp_path, database_url, **more))
        return made[-1]

    yield make
    for each in made:
        each.app.close()


def rows(data: Path, table: str) -> list[dict[str, str]]:
    path = next((data / "data").glob(f"*_description-{table}_data.csv"))
    return list(csv.DictReader(path.open(encoding="utf-8", newline="")))


def test_slots_of_people_who_leave_after_the_second_decision_go_back_in_both_ledgers(trial):
    study = trial(replacement=RETURNED)
    people = [study.to_halfway() for _ in range(2)]
    for who in people:
        study.answer(who, 1)
    gone = study.person(people[0])
    study.app.session.withdraw(people[0], False)
    arms, newcomers = [], []
    while gone.arm not in arms:
        newcomers.append(study.to_halfway())
        arms.append(study.person(newcomers[-1]).arm)
    for who in newcomers:
        study.answer(who, 1)
    same = study.person(newcomers[-1])
    row = next(row for row in study.second() if row.participant_id == same.id)
    returned = [index for each in study.second() for index in each.returned]
    assert returned == [gone.second_index]
    # A block of two in which one of two slots is back: the leaver's treatment is given before any other is twice.
    given = [study.person(who).second_treatment for who in newcomers if study.person(who).arm == gone.arm]
    assert gone.second_treatment in given or row.probabilities[0] not in (0.0, 1.0)
    report = verify(study.unsealed())
    assert report.ok, report.lines()


@POSTGRES_IS_SLOW
def test_a_second_decision_uses_no_place_of_the_study(trial):
    study = trial(target=2)
    first, second = study.to_halfway(), study.to_halfway()
    for who in (first, second):
        assert study.answer(who, 1).place == "used"
        assert study.finish(who).status == "completed"
    with pytest.raises(NotAllowed, match="all the participants it needs"):
        study.to_halfway()
    assert [row.allocation_index for row in study.second()] == [1, 2]


@POSTGRES_IS_SLOW
def test_who_withdraws_between_the_decisions_has_an_arm_and_no_second_treatment(trial):
    study = trial()
    stays, keeps, erases = (study.to_halfway() for _ in range(3))
    study.app.session.withdraw(keeps, False)
    study.app.session.withdraw(erases, True)
    study.answer(stays, 1)
    study.finish(stays)
    data = study.unsealed()
    report = verify(data)
    assert report.ok, report.lines()
    people = {row["participant_id"]: row for row in rows(data, "participants")}
    assert people[stays]["responded"] == "0"
    assert people[stays]["second_treatment"] in ("stay", "longer")
    for who in (keeps, erases):
        assert people[who]["arm"] in ("plain", "other")
        assert (people[who]["responded"], people[who]["second_treatment"], people[who]["second_index"]) == ("", "", "")
    ledger = [(row["decision"], row["participant_id"]) for row in rows(data, "allocations")]
    assert [who for decision, who in ledger if decision == "2"] == [stays]
    assert len([who for decision, who in ledger if decision == "1"]) == 3


@POSTGRES_IS_SLOW
def test_nothing_of_the_second_decision_is_shown_or_exported_before_unsealing(trial):
    study = trial()
    again, responds = study.to_halfway(), study.to_halfway()
    study.answer(again, 1)
    study.answer(responds, 7)
    for who in (again, responds):
        study.finish(who)
    shown = Monitor(study.app.context).people("real")
    assert {(person.arm, person.second_treatment, person.second_index) for person in shown} == {(None, None, None)}
    export(study.app.context, study.folder / "masked", identified=True)
    for row in rows(study.folder / "masked", "participants"):
        for name in ("arm", "responded", "second_treatment", "second_index", "first_probability", "second_probability"):
            assert row[name] == "", name
    assert {row["decision"] for row in rows(study.folder / "masked", "allocations")} <= {"1"}
    assert study.person(again).second_treatment
    # Nothing that the log says of the decision leaves, and the manifest has no length.
    assert [row for row in rows(study.folder / "masked", "events") if row["kind"] == "second_decision"] == []
    manifest = json.loads((study.folder / "masked" / "manifest.json").read_text())
    assert manifest.get("second_ledgers", {}).get("real") is None


@POSTGRES_IS_SLOW
def test_a_rewritten_second_ledger_is_found_by_the_anchors_that_were_kept(trial, tmp_path):
    study = trial()
    for _ in range(4):
        who = study.to_halfway()
        study.answer(who, 1)
        study.finish(who)
    anchors = tmp_path / "kept.anchors"
    shutil.copy(study.folder / "var" / "ledger.anchors", anchors)
    kept = [anchor.second for anchor in AnchorFile(anchors).read() if anchor.second]
    assert [anchor.index for anchor in dict.fromkeys(kept)] == [1, 2, 3, 4]
    data = study.unsealed()
    assert verify(data, second=kept).ok
    other = [kept[0].__class__(kept[-1].index, "0" * 64), kept[0].__class__(9, "0" * 64)]
    found = verify(data, second=other)
    assert set(found.counts) == {"history_rewritten", "row_removed"}
    assert "allocation 4 of decision 2" in "\n".join(found.lines())
    text = anchors.read_text().replace(kept[-1].row_hash, "0" * 64)
    anchors.write_text(text)
    done = run_study(["verify", data, "--anchor", anchors], cwd=tmp_path, environment=dict(os.environ))
    assert done.returncode == 1
    assert "of decision 2" in done.stdout + done.stderr


def test_places_of_the_second_ledger_that_a_restored_database_lost_are_not_given_again(tmp_path):
    study = Trial(tmp_path, f"sqlite:///{tmp_path}/study.db")
    study.answer(study.to_halfway(), 1)
    with sqlite3.connect(tmp_path / "study.db") as database, sqlite3.connect(tmp_path / "copy.db") as copy:
        database.backup(copy)
    study.answer(study.to_halfway(), 1)
    study.app.close()
    (tmp_path / "copy.db").rename(tmp_path / "study.db")
    for name in ("study.db-wal", "study.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    settings = Settings(tmp_path / "study.toml", f"sqlite:///{tmp_path}/study.db", tmp_path / "var", environment={})
    study.app = start(settings, clock=study.clock, sandbox=NoSandbox())
    assert any("lost allocations 2 to 2 of decision 2" in line for line in study.app.anchoring.check())
    study.answer(study.to_halfway(), 1)
    assert [row.allocation_index for row in study.second()] == [1, 3]
    study.app.close()
