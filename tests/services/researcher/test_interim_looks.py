"""Planned looks through a whole trial: each once, when it is due, recorded and sealed, and carried into the end."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from support.clock import HandClock
from support.databases import POSTGRES_IS_SLOW
from typer.testing import CliRunner

from analysis.cli import analyze
from analysis.data.load import load
from analysis.pipeline.analyse import analyse
from study_app.bootstrap import App, start
from study_app.cli import app as commands
from study_app.clock import SystemClock
from study_app.dataset.verification import verify
from study_app.domain.errors import NotAllowed, ProblemsFound
from study_app.domain.records import Answer
from study_app.services.participant.enrolment import EntryRequest
from study_app.services.researcher.exporting.export import export
from study_app.settings import Settings

STUDY = """
schema = "study/1"
id = "looked"
title = "Looked at"
researchers = "Dr A. Example"
ethics = "No. 2026-17"
consent.pay = "None."
consent.risks = "None."
[[arms]]
id = "plain"
control = true
instructions = "plain"
[[arms]]
id = "other"
instructions = "other"
[allocation]
method = "permuted_blocks"
[recruitment]
entry = "links"
target_n = 40
[[stages]]
id = "consent"
kind = "consent"
[[stages]]
id = "instructions"
kind = "instructions"
[[stages]]
id = "ending"
kind = "survey"
[[stages.questions]]
id = "liked"
prompt = "Did you like it?"
kind = "number"
low = 0
high = 99
[[stages]]
id = "debrief"
kind = "debrief"
[analysis]
primary = ["liked"]
replicates = 999
covariates = []
subgroups = []
estimands = []
[[analysis.outcomes]]
id = "liked"
[analysis.stopping]
kind = "obrien_fleming"
looks = [0.5, 1.0]
"""
SMALL = STUDY.replace("target_n = 40", "target_n = 16")
"""For what does not hang on what a look finds."""


class Trial:
    """Real people who answer with a value that depends on their arm.

    Both arms go through the same values in the same order, so what a look finds hangs on the effect alone and not on
    how the drawn allocation happened to fall.
    """

    def __init__(self, folder: Path, text: str = STUDY, database: str = "") -> None:
        self.folder, self.clock, self.answered = folder, HandClock(), Counter[str]()
        self.file = folder / "study.toml"
        self.file.write_text(text)
        database = database or f"sqlite:///{folder}/study.db"
        self.settings = Settings(self.file, database, folder / "var", environment={})
        self.app: App = start(self.settings, clock=self.clock)

    def people(self, count: int, effect: float) -> None:
        for link in self.app.links.create(count, None):
            who = self.app.enrol.enter(EntryRequest(link=link.secret)).participant.id
            self.app.session.where(who)
            self.clock.advance(seconds=30)
            self.app.session.consent(who, True)
            self.app.session.continue_(who, "instructions")
            with self.app.context.registry.begin(write=False) as unit:
                arm = unit.participant(who).arm
            self.answered[arm] += 1
            liked = 50 + (self.answered[arm] * 37) % 11 + effect * (arm == "other")
            self.app.answers.submit_survey(who, "ending", {"liked": round(liked)})
            self.app.session.continue_(who, "debrief")

    def look(self, *more: str) -> tuple[int, str]:
        done = CliRunner().invoke(
            commands,
            ["interim", str(self.file), "--database", self.settings.database, *more],
            env={"STUDY_VAR": str(self.folder / "var")},
        )
        return done.exit_code, done.output

    def taken(self, *more: str) -> dict:
        code, said = self.look("--json", *more)
        assert code == 0, said
        return json.loads(said)

    def dataset(self, name: str) -> Path:
        self.app.context.clock = SystemClock()
        export(self.app.context, self.folder / name)
        assert verify(self.folder / name).ok, verify(self.folder / name).lines()
        return self.folder / name


def refused(trial: Trial, *more: str) -> str:
    code, said = trial.look(*more)
    assert code == 2, said
    assert said.startswith("error: ")
    assert len(said.strip().splitlines()) == 1
    return said


def test_a_look_that_is_crossed_is_sealed_until_the_end_and_decides_it(tmp_path):
    trial = Trial(tmp_path)
    trial.app.lifecycle.launch()
    trial.people(20, effect=12)
    (before,) = trial.app.interim.planned("real")
    assert (before.due, before.known, before.taken_at, before.decision) == (20, 20, "", "")
    found = trial.taken()
    (after,) = trial.app.interim.planned("real")
    assert (after.n, after.decision, after.taken_at) == (20, "efficacy", found["at"][:10])
    assert trial.app.interim.planned("simulated") == [before.__class__(1, 20, 0)]
    (row,) = found["rows"]
    assert (found["look"], found["n"], found["target"], found["decision"]) == (1, 20, 40, "efficacy")
    assert found["information"] == 0.5
    assert found["boundary"] == pytest.approx(2.79651, abs=1e-5)
    assert row["crossed"]
    assert row["ci_low"] < row["estimate"] < row["ci_high"]
    stored = (tmp_path / "study.db").read_bytes()
    assert str(row["estimate"]).encode() not in stored
    (entry,) = [entry for entry in _audit(trial) if entry.what == "interim look"]
    assert entry.detail["digest"] == found["digest"]
    assert "rows" not in entry.detail
    export(trial.app.context, tmp_path / "masked")
    (known,) = json.loads((tmp_path / "masked" / "manifest.json").read_text())["interim_looks"]
    assert "opened" not in known
    assert known["digest"] == found["digest"]
    assert "look 1 was taken on" in refused(trial, "--look", "1")
    trial.app.lifecycle.close("the boundary was crossed")
    assert "looks are over" in refused(trial)
    trial.app.lifecycle.unseal("the end")
    analyze(trial.dataset("end"), tmp_path / "end_out")
    result = json.loads((tmp_path / "end_out" / "results.json").read_text())
    (primary,) = [row for row in result["estimates"] if row["role"] == "primary"]
    assert primary["p_value"] < 0.05
    assert primary["detail"]["stopped_at_look"] == 1
    assert primary["ci_low"] < primary["estimate"] < primary["ci_high"]
    assert [look["decision"] for look in result["interim"]["looks"]] == ["efficacy"]
    page = (tmp_path / "end_out" / "report.html").read_text()
    assert '<section id="interim">' in page
    assert "No interim analysis" not in page
    assert f'data-result="interim.looks.0.n">{found["n"]}<' in page
    trial.app.close()


def test_a_look_that_was_rewritten_invented_or_removed_is_found(tmp_path):
    trial = Trial(tmp_path, SMALL)
    trial.app.lifecycle.launch()
    trial.people(8, effect=0)
    trial.app.interim.record(trial.app.interim.due("real"), {"decision": "continue", "boundary": 2.8, "rows": []})
    trial.app.lifecycle.close("enough")
    trial.app.lifecycle.unseal("the end")
    manifest = trial.dataset("end") / "manifest.json"
    trial.app.close()
    honest = json.loads(manifest.read_text())
    for change, name in (
        (_rewritten, "look_differs"),
        (_invented, "look_unrecorded"),
        (list.clear, "look_removed"),
    ):
        forged = json.loads(json.dumps(honest))
        change(forged["interim_looks"])
        manifest.write_text(json.dumps(forged))
        assert name in {finding.name for finding in verify(tmp_path / "end").findings}


def _rewritten(looks: list[dict]) -> None:
    looks[0]["opened"]["result"]["decision"] = "efficacy"


def _invented(looks: list[dict]) -> None:
    looks.append({"look": 2, "digest": "0" * 64})


def _audit(trial: Trial):
    with trial.app.context.registry.begin(write=False) as unit:
        return unit.audit()


@POSTGRES_IS_SLOW
def test_a_trial_that_goes_on_reports_p_estimate_and_interval_after_both_looks(tmp_path, database_url):
    trial = Trial(tmp_path, database=database_url)
    trial.app.lifecycle.launch()
    trial.people(21, effect=1)
    assert trial.taken()["decision"] == "continue"
    assert "with 21 people, and there are no more since" in refused(trial)
    trial.people(1, effect=1)
    assert "every planned look was taken" in refused(trial)
    trial.people(18, effect=5)
    assert "all 40 planned people have finished" in refused(trial)
    trial.app.lifecycle.close("the planned number")
    trial.app.lifecycle.unseal("the end")
    result = analyse(load(trial.dataset("end")))
    (primary,) = [row for row in result["estimates"] if row["role"] == "primary"]
    detail = primary["detail"]
    assert [look["n"] for look in result["interim"]["looks"]] == [21, 40]
    assert primary["p_value"] != detail["single_look_p_value"]
    assert (primary["p_value"] <= 0.05) == (detail["sequential_p"] <= 0.05) == detail["crossed"]
    assert abs(primary["estimate"] - detail["single_look_estimate"]) < 2
    assert "Look 1 was planned at 20 people and taken at 21." in result["deviations"]
    trial.app.close()


def test_looks_too_early_unplanned_in_a_draft_or_without_the_key_are_refused_with_a_sentence(tmp_path):
    trial = Trial(tmp_path, SMALL)
    assert "rehearse a look with --simulated" in refused(trial)
    trial.app.lifecycle.launch()
    trial.people(7, effect=0)
    assert "look 1 is due at 8 of 16 people with known outcomes (50%); there are 7" in refused(trial)
    assert "looks 1 to 1 before the final analysis" in refused(trial, "--look", "2")
    trial.people(1, effect=0)
    (trial.folder / "var" / "seal.key").rename(trial.folder / "kept.key")
    assert "a look needs the right to unseal" in refused(trial)
    (trial.folder / "kept.key").rename(trial.folder / "var" / "seal.key")
    assert trial.taken()["n"] == 8
    trial.app.close()
    other = tmp_path / "other"
    other.mkdir()
    plain = Trial(other, STUDY[: STUDY.index("[analysis.stopping]")])
    assert "the plan has no interim looks" in refused(plain)
    plain.app.close()


def test_a_look_waits_for_answers_without_a_grade(tmp_path):
    trial = Trial(tmp_path, SMALL)
    trial.app.lifecycle.launch()
    trial.people(8, effect=0)
    with trial.app.context.registry.begin() as unit:
        (who, *_) = [person.id for person in unit.participants()]
        unit.save_answer(Answer(who, "ending", "essay", "why not", bank="essays", saved_at=trial.clock.now()))
    assert "1 quiz answer(s) wait for a grade; grade them on the console, then look" in refused(trial)
    trial.app.close()


def test_after_a_look_no_amendment_changes_what_the_looks_rest_on(tmp_path):
    trial = Trial(tmp_path, SMALL)
    trial.app.lifecycle.launch()
    trial.people(8, effect=0)
    trial.taken()
    trial.app.close()
    trial.file.write_text(SMALL.replace("[0.5, 1.0]", "[0.5, 0.75, 1.0]").replace("target_n = 16", "target_n = 24"))
    again = start(trial.settings, clock=trial.clock, changed_ok=True)
    with pytest.raises(ProblemsFound) as found:
        again.lifecycle.amend("more looks")
    again.close()
    assert [problem.key for problem in found.value.problems] == ["analysis.stopping", "recruitment.target_n"]


def test_a_look_that_another_process_took_meanwhile_is_not_recorded_twice(tmp_path):
    trial = Trial(tmp_path, SMALL)
    trial.app.lifecycle.launch()
    trial.people(8, effect=0)
    due = trial.app.interim.due("real")
    result = {"decision": "continue", "boundary": 2.8, "rows": []}
    trial.app.interim.record(due, result)
    with pytest.raises(NotAllowed, match="taken meanwhile by another process"):
        trial.app.interim.record(due, result)
    trial.app.close()


def test_the_registration_says_when_the_data_are_looked_at(tmp_path):
    trial = Trial(tmp_path)
    text = trial.app.lifecycle.launch().prereg_text
    trial.app.close()
    said = re.search(r"## Interim analyses and stopping\n\n(.*)", text)[1]
    assert said.startswith("1 interim look, at 50% of the planned number of participants")
    assert "O'Brien-Fleming" in said
